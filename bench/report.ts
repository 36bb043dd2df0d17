import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, median } from './machine.ts';

interface Row {
  readonly name: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly unit: string;
  readonly target: string;
}
const rows: Row[] = [];

/** Prints one row of the table: the median and the range of what the slices gave. */
export function report(name: string, values: readonly number[], unit: string, target = ''): void {
  const row = { name, median: median(values), low: Math.min(...values), high: Math.max(...values), unit, target };
  rows.push(row);
  const show = (value: number) => value.toFixed(value < 10 ? 2 : 0);
  process.stdout.write(
    `| ${name} | ${show(row.median)} | ${show(row.low)}-${show(row.high)} | ${unit} | ${target} |\n`,
  );
}

export function printHead(): void {
  process.stdout.write('| what | median | range | unit | target |\n| --- | --- | --- | --- | --- |\n');
}

/** All rows as JSON, printed and written to a file. */
export function printJson(): void {
  const file = join(folder, 'bench.json');
  writeFileSync(file, JSON.stringify(rows, undefined, 2));
  process.stdout.write(`\n${JSON.stringify(rows)}\n\nThe same is in ${file}\n`);
}

/** Whether to measure what has this name: `--only <text>` wants what has the text in it. */
export function wanted(name: string): boolean {
  const only = process.argv.indexOf('--only');
  return only < 0 || name.includes(process.argv[only + 1] ?? '');
}
