import pytest

from agents.watch.key import WatchKeyError, load_key


def test_the_key_is_the_file_without_its_newline(tmp_path):
    file = tmp_path / "watch.key"
    file.write_bytes(b"0123456789abcdef\n")
    assert load_key(file) == b"0123456789abcdef"


def test_a_short_key_is_refused_with_its_length_and_what_is_allowed(tmp_path):
    file = tmp_path / "watch.key"
    file.write_bytes(b"short\n")
    with pytest.raises(WatchKeyError, match=r"watch\.key: 5 bytes; at least 16"):
        load_key(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WatchKeyError, match=r"nowhere\.key: No such file"):
        load_key(tmp_path / "nowhere.key")
