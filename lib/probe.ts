import type { Config } from './config/index.ts';
import { SignalboxError, UpstreamError } from './providers/index.ts';
import type { Source } from './sources/index.ts';

/** Asks a source for an application that it should know, or for one that it will not: either way it has to answer. */
export async function probe(source: Source, config: Config): Promise<{ well: boolean; text: string }> {
  const alias = Object.values(config.applications).find((target) => target.source === source.name);
  const { source: _source, ...query } = alias ?? { source: source.name, application: 'signalbox/check' };
  try {
    const choice = await source.ask(query);
    if (choice.found) return { well: true, text: `answers: ${query.application ?? ''} is ${choice.state}` };
    return { well: true, text: alias ? `answers, but has no build of ${query.application}` : 'answers' };
  } catch (error) {
    if (error instanceof UpstreamError) return { well: false, text: error.message };
    if (error instanceof SignalboxError) return { well: true, text: `not asked: ${error.message}` };
    throw error;
  } finally {
    await source.close();
  }
}
