#!/usr/bin/env node
import { enableCompileCache, flushCompileCache } from 'node:module';

// The program is loaded only after the cache of compiled code is on, and that is kept even if a signal ends us.
enableCompileCache();
await import('./cli.ts');
setTimeout(flushCompileCache, 3_000).unref();
