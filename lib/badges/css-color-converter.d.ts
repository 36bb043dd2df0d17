declare module 'css-color-converter' {
  /** The colour that a CSS level 3 text names; `null` when it names none. */
  export function fromString(text: string): { toRgbaArray(): [number, number, number, number] } | null;
}
