import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';

/** What is parsed between two turns of the event loop, in characters: 1 to 2 ms. */
const SLICE = 64 * 1024;
/** What the taking of one more piece costs, in characters that JSON.parse reads meanwhile. */
const PIECE = 64;
/** No CI nests so deep; millions of open brackets are gigabytes. */
const DEEPEST = 10_000;

/**
 * They stand for what was taken before, and for the container that is still open. No text can know them, and as strings
 * they run into nothing that stands beside them.
 */
const TAKEN = randomUUID();
const OPEN = randomUUID();
const STAND_IN = { '[': `"${TAKEN}"`, '{': `"${TAKEN}":""` };
const CLOSING = { '[': ']', '{': '}' };

/** An array or object whose end is not yet reached. */
interface Container {
  readonly bracket: '[' | '{';
  /** Where its bracket is. */
  readonly at: number;
  /** Where its text begins that is not yet taken: after the bracket, or after an item. */
  from: number;
  /** Where its newest comma is. */
  comma: number;
  /** What was taken of it; absent while it may yet end in the slice that it begins in. */
  value?: unknown[] | Record<string, unknown>;
}

/**
 * As JSON.parse, for a text of any length: the event loop turns before every slice. Nothing but brackets, commas and
 * strings is looked at here, to find where to cut. JSON.parse itself reads what is between the cuts, with stand-ins for
 * what came before and what comes after, so that all of its rules hold, and most of its speed.
 * @throws SyntaxError where JSON.parse does, and for what is nested more than 10,000 deep
 */
export async function parseInSlices(text: string, slice = SLICE): Promise<unknown> {
  /** The text is read as the one item of an array. */
  const whole: unknown[] = [];
  let inmost: Container = { bracket: '[', at: -1, from: 0, comma: -1, value: whole };
  const open = [inmost];
  /** How many of the open containers, the outer ones, have a value. */
  let begun = 1;
  let end = slice;
  await turn();
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') at = endOfString(text, at);
    else if (char === ',') inmost.comma = at;
    else if (char === '[' || char === '{') {
      inmost = { bracket: char, at, from: at + 1, comma: -1 };
      if (open.push(inmost) > DEEPEST) throw new SyntaxError('nested too deep');
    } else if (char === ']' || char === '}') {
      open.pop();
      const outer = open.at(-1);
      if (outer === undefined) throw new SyntaxError(`nothing is closed at ${at}`);
      if (open.length < begun) {
        take(text, inmost, at, char);
        outer.from = at + 1;
        begun -= 1;
        end -= PIECE;
      }
      inmost = outer;
    }
    if (at + (open.length - begun) * PIECE < end) continue;
    takeOpen(text, open.slice(begun - 1));
    begun = open.length;
    end = at + slice;
    await turn();
  }
  if (open.length > 1) throw new SyntaxError(`nothing closes what opens at ${inmost.at}`);
  take(text, inmost, text.length, ']');
  if (whole.length !== 1) throw new SyntaxError(`${whole.length} values`);
  return whole[0];
}

/** Takes all that is complete of containers, each inside the one before, that do not end in this slice. */
function takeOpen(text: string, containers: readonly Container[]): void {
  for (const [index, container] of containers.entries()) {
    const inner = containers[index + 1];
    if (inner) {
      inner.value = inner.bracket === '[' ? [] : {};
      take(text, container, inner.at, `"${OPEN}"${CLOSING[container.bracket]}`, inner.value);
    } else if (container.comma > container.from) {
      take(text, container, container.comma + 1, STAND_IN[container.bracket] + CLOSING[container.bracket]);
      container.from = container.comma;
    }
  }
}

/** Puts to the value of a container what its text says up to a place, when `after` follows there. */
function take(text: string, { bracket, at, from, value }: Container, to: number, after: string, inner?: unknown): void {
  const before = from > at + 1 ? STAND_IN[bracket] : '';
  const piece: object = JSON.parse(bracket + before + text.slice(from, to) + after);
  if (Array.isArray(value)) {
    for (const item of piece as unknown[]) if (item !== TAKEN) value.push(item === OPEN ? inner : item);
  } else if (value) {
    for (const [name, item] of Object.entries(piece))
      if (name !== TAKEN) put(value, name, item === OPEN ? inner : item);
  }
}

/** As JSON.parse does: `__proto__` is a name like any other. */
function put(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Where the string ends that begins at a place; the end of the text when it does not end. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let from = at;
    while (text[from - 1] === '\\') from -= 1;
    if ((at - from) % 2 === 0) return at; // else the last of the backslashes escapes it
  }
  return text.length;
}
