const LONGEST = 256;
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
/** Marks that turn the direction of writing, characters that nobody sees, and two that XML has no place for. */
const INVISIBLE = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]/g;

/** A text that is safe to draw: no control or bidi characters, well-formed, 256 characters at most. */
export function cleanText(text: string): string {
  const clean = text.toWellFormed().replace(CONTROL, ' ').replace(INVISIBLE, '').trim();
  if (clean.length <= LONGEST) return clean;
  const characters = [...clean];
  return characters.length <= LONGEST ? clean : `${characters.slice(0, LONGEST - 1).join('')}…`;
}
