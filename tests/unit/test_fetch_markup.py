"""What of a page is content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.fetch import markup


def cleaned(body: str) -> str:
    """Return the text of a page without code and chrome."""
    tree = markup.parse(f"<html><body>{body}<p>{'Long story. ' * 20}</p></body></html>")
    assert tree is not None
    text = markup.without_chrome(markup.without_code(tree)).text_content()
    return " ".join(text.replace("Long story. ", "").split())


@pytest.mark.parametrize(
    "body",
    [
        "<script>gone</script>kept",
        "<style>gone</style>kept",
        "<p hidden>gone</p>kept",
        '<p style="display: none">gone</p>kept',
        '<span style="font-size:0">gone</span>kept',
        '<b aria-hidden="true">gone</b>kept',
        "<nav>gone</nav>kept",
        '<div role="dialog">gone</div>kept',
        '<div class="cookie-banner top">gone</div>kept',
        '<section id="related_stories">gone</section>kept',
        "<header>gone</header>kept",
        "<article><header>kept</header></article>",
        "<form><input>gone</form>kept",
        "<form><p>kept</p></form>",
        '<p style="font-size: 0.9em">kept</p>',
        '<p class="share">kept</p>',
        "<!-- gone -->kept",
        "<template>gone</template>kept",
    ],
)
def test_chrome_goes_and_content_stays(body):
    """What a reader skips or cannot see is removed, and the text behind it is not."""
    assert cleaned(body) == "kept"


def test_content_in_a_misnamed_element_stays():
    """An element with most of the page's text is content, whatever its class says."""
    tree = markup.parse(f'<div class="sidebar">{"Long story. " * 9}</div><p>short</p>')
    assert tree is not None
    assert "Long story." in markup.without_chrome(tree).text_content()


def test_words_around_a_removed_element_stay_apart():
    """Removing what separates two words does not join them."""
    assert cleaned("one<script>x</script>two") == "one two"


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ('<meta property="og:title" content="A"><title>B</title><h1>C</h1>', "A"),
        ("<title>B</title><h1>C</h1>", "C"),
        ("<title>B</title><h1>C</h1><h1>D</h1>", "B"),
        ('<meta property="og:title" content=" "><title> B\n b </title>', "B b"),
        ("<p>x</p>", ""),
    ],
)
def test_the_title_is_the_best_there_is(html, title):
    """Open Graph before the only headline before the title element."""
    tree = markup.parse(html)
    assert tree is not None
    assert markup.title(tree) == title


@pytest.mark.parametrize(
    ("said", "language"),
    [
        (("de", None, "en"), "de"),
        (("pt_BR",), "pt-BR"),
        ((None, "", "fr, en"), "fr"),
        (("<x>", "\x1b[31m"), ""),
        ((), ""),
    ],
)
def test_the_language_is_a_tag_or_nothing(said, language):
    """The page's own word comes first; what is no language tag is passed over."""
    assert markup.language(*said) == language


@pytest.mark.parametrize("text", ["", " \n", "\0", "<!-- x -->"])
def test_a_page_without_elements_is_none(text):
    """Nothing to read is None, not an error."""
    tree = markup.parse(text)
    assert tree is None or tree.text_content().strip() == ""


@given(st.text(alphabet="<>/=\"' abdivp\0\x0c\n&;!-\ud800ä", max_size=200))
def test_no_markup_breaks_the_cleaning(text):
    """Whatever the bytes of a page were, it is cleaned or there is nothing in it."""
    tree = markup.parse(text)
    if tree is not None:
        markup.title(tree)
        markup.source(markup.without_chrome(markup.without_code(tree)))
