const LONGEST = 256;
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
/** Marks that turn the direction of writing, and characters that nobody sees. */
const INVISIBLE = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]/g;

/** A text that is safe to draw: no control or bidi characters, well-formed, 256 characters at most. */
export function cleanText(text: string): string {
  const clean = text.toWellFormed().replace(CONTROL, ' ').replace(INVISIBLE, '').trim();
  return clean.length <= LONGEST ? clean : `${[...clean].slice(0, LONGEST - 1).join('')}…`;
}
