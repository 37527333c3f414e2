import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readmes_table_names_every_setting_and_no_other() -> None:
    read = set(re.findall(r'get\(\s*"([A-Z_]+)"', (ROOT / "app/config.py").read_text(encoding="utf-8")))
    listed = set(re.findall(r"^\| `FIRSTHAND_([A-Z_]+)`", README, re.MULTILINE))
    assert listed == read | {"TEST_DATABASE_URL"}


def test_every_page_and_folder_that_the_documents_point_to_is_there() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (page.parent / target).exists(), f"{page.name} points to {target}"
    for folder in re.findall(r"`((?:app|tests|bench)(?:/[a-z.]+)?)`", README):
        assert (ROOT / folder).exists(), folder
