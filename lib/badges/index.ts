/** From a state to a picture. */
export * from './badge.ts';
export * from './color.ts';
export * from './draw.ts';
export * from './logo.ts';
export * from './presentation.ts';
export * from './text.ts';
