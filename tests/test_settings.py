"""Settings teach: a wrong file names its key and the nearest right one."""

from pathlib import Path

import pytest

from hark.errors import HarkError
from hark.settings import Settings, read
from tests.data import ROOT


def test_every_key_has_a_default(tmp_path: Path) -> None:
    """A directory without hark.toml has all settings."""
    assert read(tmp_path) == Settings()


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    """Keys in hark.toml replace their defaults."""
    (tmp_path / "hark.toml").write_text('zone = "Europe/London"\nseal_events = 10\n')
    assert read(tmp_path) == Settings(zone="Europe/London", seal_events=10)


@pytest.mark.parametrize(
    ("text", "id", "says"),
    [
        ("zonne = 'UTC'", "settings.value", "did you mean zone?"),
        ("seal_events = 'many'", "settings.value", "seal_events"),
        ("deliver_threads = 0", "settings.value", "deliver_threads"),
        ("zone = 'Mars/Olympus'", "settings.zone", "Mars/Olympus"),
        ("zone = ", "settings.toml", "not TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, id: str, says: str) -> None:
    """Unknown keys, wrong types, wrong zones and broken files each have an id and a hint."""
    (tmp_path / "hark.toml").write_text(text)
    with pytest.raises(HarkError) as found:
        read(tmp_path)
    assert found.value.id == id
    assert says in str(found.value)


def test_every_setting_is_documented() -> None:
    """docs/settings.md has a row for each key, with its default."""
    documented = (ROOT / "docs" / "settings.md").read_text()
    for key in Settings.__struct_fields__:
        assert f"| `{key}` |" in documented
