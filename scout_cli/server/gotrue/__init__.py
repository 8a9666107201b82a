"""`/auth/v1`: the accounts as GoTrue's clients know them. One set of accounts with `/auth`.

Source: https://github.com/supabase/auth (the shapes and codes that its clients read).
"""
