"""Questions over the tables of the web interface: what may be asked, and the SQL for a plan."""
