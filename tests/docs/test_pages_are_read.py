"""What the tests of the documentation rest on: blocks with their lines and reasons, links and anchors."""

from doc_pages import Page

TEXT = """# A `title`, and more

```python
one = 1
```

<!-- not run: it would take a week -->
```python
two = 2
```

```toml
three = 3
```

- in a list:

  ```python
  four = 4
  ```

## A title and more
## A title and more

[a](b.md#c) ![d](e.png)
"""


def test_python_blocks_come_with_their_lines_and_reasons(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(TEXT)
    blocks = Page(path=path).blocks
    assert [(b.code, b.line, b.not_run) for b in blocks] == [
        ("one = 1\n", 4, None),
        ("two = 2\n", 9, "it would take a week"),
        ("four = 4\n", 19, None),
    ]


def test_links_and_anchors_are_those_of_the_rendered_page(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(TEXT)
    page = Page(path=path)
    assert page.links == ["b.md#c", "e.png"]
    assert page.anchors == {"a-title-and-more", "a-title-and-more-1", "a-title-and-more-2"}
