"""Cleaning a page takes time in proportion to its length, whatever its lines are."""

from scout_cli.fetch import tidy


class Counting(set):
    """A set that counts how often it is asked."""

    asked = 0

    def __contains__(self, item: object) -> bool:
        self.asked += 1
        return super().__contains__(item)


def counted(lines: int) -> tuple[int, int]:
    """Return the characters of a page of short lines, and the questions that they cost."""
    told = [f"entry number {number} of the list" for number in range(lines)]
    text = "".join("".join(told).split())
    kept = tidy._Kept(text)
    kept.pieces[tidy._PIECE] = asked = Counting(tidy._cut(text, tidy._PIECE))
    for line in told:
        assert not tidy._is_chrome(line, kept)
        assert tidy._is_chrome(f"{line} elsewhere", kept)
    return len(text), asked.asked


def test_ten_times_the_lines_cost_ten_times_the_work():
    """A page of 20,000 short lines is asked about as often per character as one of 2,000."""
    few, many = counted(2_000), counted(20_000)
    assert few[1] / few[0] > 0.5
    assert many[1] / many[0] < 1.5 * few[1] / few[0]


def test_a_long_page_is_cleaned_like_a_short_one():
    """Chrome goes and content stays, whether the kept part is searched or cut into pieces."""
    content = [f"Row {number} of the table" for number in range(1_500)]
    markdown = "\n".join(["Home", "All offers", *content, "Imprint of it"])
    for rows in (content[:20], content):
        kept = "\n".join(rows)
        cleaned = tidy.prose(markdown, kept).split("\n")
        assert cleaned == rows
    assert len("".join("\n".join(content).split())) > tidy._SEARCHED
