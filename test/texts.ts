import fc from 'fast-check';

const character = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0x1f }) },
  { weight: 1, arbitrary: fc.constantFrom(0x202e, 0x2066, 0x200b, 0xfeff, 0xfffe, 0xffff, 0xd800, 0xdc00, 0x7f, 0x85) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }) },
);

/** Any text that JavaScript can hold: control and bidi characters, lone surrogates, what is no character at all. */
export const anyText = (maxLength = 30): fc.Arbitrary<string> =>
  fc.array(character, { maxLength }).map((codes) => String.fromCharCode(...codes));
