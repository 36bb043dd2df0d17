/** Who may see what. */
export * from './access.ts';
export * from './key.ts';
