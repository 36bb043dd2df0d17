import type { z } from 'zod';
import type { Provider } from './provider.ts';

/** An option of a provider, as documentation tells it. */
interface OptionFacts {
  readonly name: string;
  readonly required: boolean;
  readonly standard: string | undefined;
}

/** What an operator needs to know of a provider, as Markdown: its words, filters, options and remarks. */
export function describeProvider({
  id,
  title,
  docs,
  words,
  filters,
  options,
  notes = [],
  findProject,
  webhook,
}: Provider): string {
  const facts = optionsOf(options);
  return [
    `# ${title}`,
    '',
    `\`provider: ${id}\`. Asks through [its API](${docs}).`,
    '',
    '| Signalbox | here |',
    '| --- | --- |',
    ...Object.entries(words).map(([word, meaning]) => `| ${word} | ${meaning} |`),
    '',
    `Filters: ${filters.join(', ')}.`,
    ...(findProject ? ['', 'Knows the default branch, so a query without a ref means that; fills placeholders.'] : []),
    ...(webhook ? ['', 'Takes webhooks: a build that changed is shown at once.'] : []),
    ...notes.flatMap((note) => ['', note]),
    '',
    '| option | |',
    '| --- | --- |',
    ...facts.map(({ name, required, standard }) => {
      return `| \`${name}\` | ${required ? 'required' : standard ? `\`${standard}\` unless said otherwise` : 'optional'} |`;
    }),
  ].join('\n');
}

function optionsOf(schema: z.ZodType): readonly OptionFacts[] {
  const { shape = {} } = (schema as { def?: { shape?: Record<string, z.ZodType> } }).def ?? {};
  return Object.entries(shape).map(([name, option]) => {
    const standard = option.safeParse(undefined);
    return {
      name,
      required: !standard.success,
      standard: standard.success && standard.data !== undefined ? String(standard.data) : undefined,
    };
  });
}
