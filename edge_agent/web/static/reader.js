// What the scanner or card reader beside a page has read: whose it is, and how it is told.

const SAID = { returned: "returned", "checked-in": "arrived", found: "title" };

/**
 * `{title, text, part}` for a reading of this page's reader, null for another's. `part` is the ticket as HTML
 * of the hall, null when there is none. Without a name in `reader` every reader of the hall's public side is ours.
 */
export async function told(reading, { reader, lang, words }) {
  if (reading.counter || (reader && reading.device !== reader)) return null;
  const { result } = reading;
  if (result === "card") return { title: words.card, text: words.card_text.replace("{tail}", reading.masked.slice(-4)), part: null };
  const part = reading.ticket_id ? await found(reading.ticket_id, lang) : null;
  if (SAID[result]) return { title: words[SAID[result]], text: "", part };
  if (result === "refused") return { title: words.refused, text: lang === "en" ? reading.detail : reading.title, part };
  return { title: words[result], text: words[`${result}_text`], part: null };
}

async function found(ticket, lang) {
  try {
    const answer = await fetch(`/found/${encodeURIComponent(ticket)}?lang=${lang}`, { cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (!answer.ok) return null;
    return [...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes];
  } catch {
    return null;
  }
}
