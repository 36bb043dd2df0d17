/** Badge definitions: their URLs, placeholders, and the projects and groups that own them. */
export * from './exchange.ts';
export * from './facts.ts';
export * from './placeholder.ts';
export * from './rendering.ts';
export * from './url.ts';
