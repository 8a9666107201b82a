"""The reading child: its pipes, its deadline, and its death."""

from __future__ import annotations

import asyncio
import io
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from scout_cli.fetch import scratch, wire
from scout_cli.fetch.reader import Reader, ReaderFailed
from scout_cli.fetch.wire import ReadFeed, ReadPage

ROOT = Path(__file__).parents[2]
SENTENCE = "The bridge over the river opens in March, the town council of Lindental said."
module_loop = pytest.mark.asyncio(loop_scope="module")
linux = pytest.mark.skipif(sys.platform != "linux", reason="process file descriptors and /proc")


def document(text: str = SENTENCE) -> ReadPage:
    """Return a small page to read."""
    body = f"<html><body><h1>News</h1><p>{text}</p></body></html>".encode()
    return ReadPage(
        body=body, media_type="text/html", content_type="text/html", url="http://news.test/"
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader() -> AsyncIterator[Reader]:
    """Return a reader for the tests of this module that leave it able to go on."""
    opened = Reader(page_seconds=5.0)
    yield opened
    await opened.close()


@module_loop
async def test_a_killed_child_fails_its_page_and_is_replaced(reader):
    """SIGKILL in the middle of a page: that page fails as such, the next is read."""
    await reader.warm_up()
    first = reader.pid
    os.kill(first, signal.SIGSTOP)
    reading = asyncio.create_task(reader.page(document()))
    asyncio.get_running_loop().call_soon(os.kill, first, signal.SIGKILL)
    with pytest.raises(ReaderFailed) as failed:
        await reading
    assert failed.value.kind == "died"
    assert SENTENCE in (await reader.page(document())).text
    assert reader.pid not in {None, first}


@module_loop
async def test_a_child_that_died_between_pages_is_replaced(reader):
    """A child that ended while nobody asked costs no page."""
    await reader.warm_up()
    process = reader._child.process
    process.kill()
    await process.wait()
    assert SENTENCE in (await reader.page(document())).text


@module_loop
async def test_a_cancelled_page_takes_its_answer_with_it(reader):
    """The answer to a question that was given up is never taken for the next one's."""
    await reader.warm_up()
    os.kill(reader.pid, signal.SIGSTOP)
    given_up = asyncio.create_task(reader.page(document("Given up.")))
    asyncio.get_running_loop().call_soon(given_up.cancel)
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert "Given up." not in (await reader.page(document())).text


@module_loop
async def test_pages_asked_at_once_get_their_own_answers(reader):
    """Questions that come together are answered one by one, each with its own page."""
    texts = [f"Story number {n} of the day is told in this very sentence." for n in range(6)]
    readings = await asyncio.gather(*(reader.page(document(text)) for text in texts))
    assert [text in one.text for text, one in zip(texts, readings, strict=True)] == [True] * 6


@module_loop
async def test_the_child_keeps_nothing_of_this_machine(reader, monkeypatch):
    """The child's environment holds no key, proxy or home of the person who started scout."""
    if sys.platform != "linux":
        pytest.skip("an environment is read from /proc")
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    fresh = Reader()
    await fresh.warm_up()
    seen = Path(f"/proc/{fresh.pid}/environ").read_text()
    folder = fresh._child.folder
    await fresh.close()
    assert "hunter2" not in seen
    assert "PROXY" not in seen
    assert f"HOME={folder}" in seen
    assert not folder.exists()


async def test_a_reading_that_outlasts_its_deadline_is_killed():
    """The child of a page that takes too long is ended, and the caller is told so in time."""
    reader = Reader(page_seconds=0.3)
    await reader.warm_up()
    process = reader._child.process
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(ReaderFailed) as failed:
        await reader.page(document())
    assert failed.value.kind == "timeout"
    assert "0.3 s" in failed.value.detail
    assert process.returncode == -signal.SIGKILL
    assert reader.pid is None
    await reader.close()


async def test_a_child_that_cannot_start_says_why():
    """Too little memory to start in is told with the child's last words, and leaves nothing."""
    reader = Reader(memory=32 * 1024 * 1024)
    if sys.platform != "linux":
        pytest.skip("memory is bounded on Linux only")
    with pytest.raises(ReaderFailed) as failed:
        await reader.warm_up()
    assert failed.value.kind == "absent"
    assert "did not start" in failed.value.detail
    assert reader.pid is None


async def test_a_slow_start_ends():
    """A child that takes too long to start is given up."""
    reader = Reader(start_seconds=0.01)
    with pytest.raises(ReaderFailed) as failed:
        await reader.warm_up()
    assert failed.value.kind == "absent"
    assert reader.pid is None


async def test_closing_during_the_start_leaves_no_child():
    """A reader that is closed while its child starts does not keep it."""
    reader = Reader()
    starting = asyncio.create_task(reader.warm_up())
    await asyncio.sleep(0)
    await reader.close()
    with pytest.raises(ReaderFailed):
        await starting
    assert reader.pid is None


PARENT = """
import asyncio
import io
from scout_cli.fetch.reader import Reader
async def main():
    reader = Reader()
    await reader.warm_up()
    print(reader.pid, reader._child.folder, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@linux
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_the_child_dies_with_its_parent(busy):
    """A scout killed without warning leaves no child, and the next start sweeps its folder.

    A stopped child stands for one that is too busy to notice that its pipe was closed.
    """
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        pid, folder = parent.stdout.readline().split()
        watch = os.pidfd_open(int(pid))
        if busy:
            signal.pidfd_send_signal(watch, signal.SIGSTOP)
        parent.kill()
    ended, _, _ = select.select([watch], [], [], 10)
    if not ended:
        signal.pidfd_send_signal(watch, signal.SIGKILL)
    os.close(watch)
    assert ended == [watch]
    with suppress(FileNotFoundError, ProcessLookupError):  # buried
        assert Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    assert Path(folder).exists()
    scratch.sweep()
    assert not Path(folder).exists()


def test_sweeping_spares_the_living():
    """Folders of running processes, and others with a similar name, stay."""
    mine = scratch.make()
    other = Path(tempfile.mkdtemp(prefix="scout-reader-x"))
    scratch.sweep()
    assert mine.exists()
    assert other.exists()
    scratch.remove(mine)
    scratch.remove(other)
    scratch.remove(mine)
    assert not mine.exists()


NOISE = """
import os, sys
from scout_cli.fetch import child, wire
orders, answers = child.take_pipes()
print("a library prints", flush=True)
os.write(1, b"and a library in C")
os.system("echo and a program")
read = sys.stdin.read()
child._send(answers, wire.Ready(version=repr(read)))
"""


def test_prints_do_not_reach_the_protocol():
    """Whatever a library writes to standard output goes elsewhere, and it reads nothing of ours."""
    order = wire.pack(wire.Order(task=document(), seconds=1))
    done = subprocess.run(
        [sys.executable, "-c", NOISE], cwd=ROOT, input=order, capture_output=True, check=True
    )
    assert done.stdout == wire.pack(wire.Ready(version="''"))
    for noise in (b"a library prints", b"and a library in C", b"and a program"):
        assert noise in done.stderr


ESCAPES = """
import os, socket, subprocess, sys
from scout_cli.fetch import child
sys.addaudithook(child._forbid)
def shut(act):
    try:
        act()
    except PermissionError:
        return True
    except BaseException as error:
        print(repr(error))
    return False
plain = socket.socket()
print([
    shut(lambda: plain.connect(("127.0.0.1", 9))),
    shut(lambda: socket.getaddrinfo("localhost", 80)),
    shut(lambda: subprocess.Popen(["true"])),
    shut(lambda: os.system("true")),
    shut(lambda: os.execv("/bin/true", ["true"])),
    shut(lambda: os.posix_spawn("/bin/true", ["true"], {})),
    shut(os.fork),
])
"""


def test_the_child_may_not_reach_out():
    """In the child, connecting, looking up names and starting programs all fail."""
    done = subprocess.run(
        [sys.executable, "-c", ESCAPES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str([True] * 7)


def test_a_frame_too_long_is_not_ours():
    """A length that no frame of ours has is an error, and an end is an end."""
    with pytest.raises(ValueError, match="not written by us"):
        wire.length(b"\xff\xff\xff\xff")
    assert wire.receive(io.BytesIO(b"\0\0"), wire.Ready) is None
    feed = ReadFeed(body=bytes(range(256)), content_type="x", url="y")
    order = wire.Order(task=feed, seconds=2.5)
    assert wire.receive(io.BytesIO(wire.pack(order)), wire.Order) == order
