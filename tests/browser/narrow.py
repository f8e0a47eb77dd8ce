"""What holds for an administrator's page on the smallest telephone, in both languages and type sizes."""

from typing import Any

from tests.browser.test_everywhere import look

SMALL = {"width": 360, "height": 780}
CHOICES = [f"lang={lang}&size={size}" for lang in ("zh", "en") for size in ("normal", "large")]
#: parts that a finger would have to push sideways, the page itself among them
SIDEWAYS = """() => [...document.querySelectorAll('*')]
  .filter(e => e === document.documentElement || ['auto', 'scroll'].includes(getComputedStyle(e).overflowX))
  .filter(e => e.scrollWidth > e.clientWidth)
  .map(e => `${e.tagName} #${e.id} ${e.className}: ${e.scrollWidth} > ${e.clientWidth}`)"""
#: cells of stacked tables that do not show the heading of their column; those of one heading show it once
UNLABELLED = """() => [...document.querySelectorAll('table.cards:has(thead) tbody tr')].flatMap(row => {
  const heads = [...row.closest('table').querySelectorAll('thead th')]
    .flatMap(th => Array(th.colSpan).fill(th.textContent.trim()));
  return [...row.cells].filter(cell => {
    if (cell.tagName === 'TH' || cell.colSpan > 1 || !cell.getClientRects().length) return false;
    const shown = getComputedStyle(cell, '::before').content;
    const head = heads[cell.cellIndex];
    const told = head === '' || (cell.cellIndex > 0 && heads[cell.cellIndex - 1] === head);
    return shown !== JSON.stringify(head) && !(told && shown === 'none');
  }).map(cell => cell.outerHTML);
})"""


def look_narrow(page: Any, url: str) -> None:
    """Nothing scrolls sideways, every value stands beside its label, and there is no serious barrier."""
    for choice in CHOICES:
        look(page, f"{url}{'&' if '?' in url else '?'}{choice}")
        assert page.evaluate(SIDEWAYS) == [], f"{url} {choice}"
        assert page.evaluate(UNLABELLED) == [], f"{url} {choice}"
        assert ("large" in choice) == (page.locator("html.large").count() == 1)
