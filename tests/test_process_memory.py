"""How a process asks for memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from speechgru import process_memory
from speechgru.process_memory import ask_for_huge_pages, suggest_allocator

ASKED = "THP_MEM_ALLOC_ENABLE"
SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")

TAKE = """
from pathlib import Path
from speechgru.process_memory import ask_for_huge_pages
{}
import torch
held = torch.ones(16 << 20)
[line] = [
    line
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines()
    if line.startswith("AnonHugePages")
]
print(line.split()[1])
"""


@pytest.mark.skipif(
    not SETTING.exists() or "[madvise]" not in SETTING.read_text(),
    reason="this system gives huge pages to all, or to none",
)
@pytest.mark.parametrize("asks", [False, True])
def test_torch_takes_huge_pages_where_it_is_told_to(asks, monkeypatch):
    monkeypatch.delenv(ASKED, raising=False)
    code = TAKE.format("ask_for_huge_pages()" if asks else "")
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert (int(ran.stdout) > 30_000) == asks  # kB, of 64 MB


def test_a_choice_of_ones_own_stays(monkeypatch):
    monkeypatch.setenv(ASKED, "0")
    ask_for_huge_pages()
    assert os.environ[ASKED] == "0"


@pytest.mark.parametrize("command", ["train", "advise", "probe"])
def test_commands_that_train_ask(command, call, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ASKED, raising=False)
    code, _, err = call(command, "corpus=manifest", "corpus.train=no.jsonl")
    assert (code, os.environ[ASKED]) == (1, "1"), err


GLIBC = "7f0000000000 r-xp 00000000 00:00 1 /usr/lib/x86_64-linux-gnu/libc.so.6\n"


@pytest.mark.parametrize(
    ("maps", "is_there", "suggested"),
    [
        (GLIBC, "libtcmalloc_minimal.so.4.5", "LD_PRELOAD=libtcmalloc_minimal.so.4.5"),
        (GLIBC, None, "LD_PRELOAD=libtcmalloc_minimal.so.4"),
        (f"{GLIBC}7f r-xp 0 0 1 /opt/libtcmalloc.so.4\n", None, None),
        ("7f r-xp 0 0 1 /lib/ld-musl-x86_64.so.1\n", None, None),
        ("", None, None),  # a system that does not tell
    ],
)
def test_an_allocator_is_named_where_glibc_has_its_own(
    maps, is_there, suggested, monkeypatch
):
    monkeypatch.setattr(process_memory, "_read", lambda path: maps)
    monkeypatch.setattr(process_memory, "find_library", lambda name: is_there)
    assert suggest_allocator() == suggested
