/** What a provider plugin sees, and the way out to the network. */
export * from './cases.ts';
export * from './endpoint.ts';
export * from './errors.ts';
export * from './fields.ts';
export * from './options.ts';
export * from './pages.ts';
export * from './provider.ts';
export * from './secret.ts';
export * from './signature.ts';
export * from './template.ts';
export * from './upstream.ts';
