"""One spelling per page, hosts that nobody can imitate, and which pages a scout reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.core.urls import belongs_to, canonical, host_of, is_web, wanted

HOSTS = st.sampled_from(
    [
        "example.org",
        "www.example.org",
        "www.www.a.b",
        "WWW.com",
        "bücher.example",
        "[::1]",
        "1.2.3.4",
    ]
)
PIECE = st.text("abz/.:;?&=%_~#+ äю…\\\"'", max_size=12) | st.sampled_from(
    [
        "/index.html",
        "/index.php/",
        "?utm_source=x&b=2&a=1",
        "?a=%FF",
        "//",
        "?q=1&q=1",
        "/index.htm",
    ]
)
URLS = st.builds(
    "{}://{}{}/{}".format,
    st.sampled_from(["http", "https", "HTTP"]),
    HOSTS,
    st.sampled_from(["", ":80", ":443", ":8080", ":"]),
    st.lists(PIECE, max_size=5).map("".join),
)


@given(URLS)
def test_canonical_is_idempotent(url):
    """The spelling by which pages are compared is its own spelling."""
    assert canonical(canonical(url)) == canonical(url)


@given(st.text(max_size=40) | st.text(max_size=30).map("http://{}".format))
def test_any_text_has_a_spelling(text):
    """No text that a search engine may call a URL raises."""
    assert canonical(canonical(text)) == canonical(text)
    assert isinstance(host_of(text), str)
    assert is_web(text) in (True, False)


@pytest.mark.parametrize(
    "same",
    [
        "http://www.example.org/news/",
        "https://EXAMPLE.org:443/news",
        "http://example.org:80/news/index.html",
        "https://example.org/news?utm_source=mail&fbclid=1",
        "https://example.org/news#top",
        "https://example.org./news//",
        "  https://example.org/news  ",
    ],
)
def test_spellings_of_one_page(same):
    """Scheme, port, `www.`, index file, slash, campaign and fragment tell no pages apart."""
    assert canonical(same) == "https://example.org/news"


@pytest.mark.parametrize(
    "other",
    [
        "https://example.org/news?page=2",
        "https://example.org:8443/news",
        "https://news.example.org/news",
        "https://example.org/News",
        "https://example.org:99999/news",
        "https://example.org/news/index",
    ],
)
def test_other_pages_stay_others(other):
    """What may be another page keeps another spelling, a broken port included."""
    assert canonical(other) != "https://example.org/news"


def test_parameters_in_any_order():
    """The order of parameters is no difference; their values are."""
    assert canonical("https://a.b/?y=2&x=1") == canonical("http://www.a.b?x=1&y=2")
    assert canonical("https://a.b/?x=1") != canonical("https://a.b/?x=2")


def test_an_address_of_version_six_keeps_its_brackets():
    """An IPv6 host with a port stays a URL that can be parsed again."""
    assert canonical("http://[::1]:8080/x/") == "http://[::1]:8080/x"


def test_names_in_other_scripts_are_shown_in_ascii():
    """A host in another script and its `xn--` form are one, and no letter passes for another."""
    assert host_of("https://bücher.example/") == host_of("https://xn--bcher-kva.example/")
    assert host_of("https://аpple.com/").startswith("xn--")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "/news",
        "ftp://example.org/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "http://[",
        "http://a b/",
        "http://%zz/",
        "http://example.org:99999/",
        "http://example.org:port/",
        "http://user:pw@example.org/",
        "http://example.org\\@evil.test/",
        "http://example.org/\r\nHost: x",
        "http://example.org/\ud800",
        "http://" + "a" * 10_000,
        "https://example.org/" + "a" * 10_000,
    ],
)
def test_what_is_no_web_address(url):
    """What cannot be read, or would lie about its host, is no web address."""
    assert not is_web(url)
    assert not wanted(url, include=[], exclude=[])


def test_a_long_url_has_a_spelling():
    """Ten thousand characters of index files and slashes take no recursion."""
    assert canonical("http://a.b" + "/index.html" * 10_000) == "https://a.b"


def test_domains_hold_for_their_subdomains_only():
    """A domain covers its subdomains, and no name that merely ends alike."""
    assert belongs_to("news.example.org", ["www.Example.org"])
    assert belongs_to("example.org", ["example.org"])
    assert not belongs_to("notexample.org", ["example.org"])
    assert not belongs_to("example.org", ["news.example.org"])
    assert not belongs_to("", ["example.org"])


@pytest.mark.parametrize(
    ("url", "include", "exclude", "read"),
    [
        ("https://a.org/", [], [], True),
        ("https://www.facebook.com/x", [], [], False),
        ("https://m.facebook.com/x", ["facebook.com"], [], True),
        ("https://a.org/", ["b.org"], [], False),
        ("https://sub.b.org/", ["b.org"], [], True),
        ("https://sub.b.org/", ["b.org"], ["sub.b.org"], False),
        ("https://a.org/", [], ["a.org"], False),
    ],
)
def test_which_hosts_a_scout_reads(url, include, exclude, read):
    """Exclusion beats inclusion, inclusion beats the list of unreadable hosts."""
    assert wanted(url, include=include, exclude=exclude) is read
