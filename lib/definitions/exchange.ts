import { parse, stringify } from 'yaml';
import { z } from 'zod';
import {
  addDefinition,
  addGroup,
  addProject,
  type Database,
  type Definition,
  editDefinition,
  editGroup,
  editProject,
  findGroup,
  findProject,
  type Group,
  listDefinitions,
  listGroups,
  listProjects,
  type Owner,
  type Page,
  type Paging,
  type Project,
  removeDefinition,
  removeOwner,
  VISIBILITIES,
} from '../storage/index.ts';
import { storedFacts } from './facts.ts';
import { refusalOf } from './url.ts';

/** The file of definitions cannot be used. The message says where and why. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
}

const Url = z
  .string()
  .trim()
  .superRefine((text, context) => {
    const refusal = refusalOf(text);
    if (refusal) context.addIssue({ code: 'custom', message: refusal });
  });
const Badge = z.strictObject({ name: z.string().max(255).optional(), link_url: Url, image_url: Url });
const Texts = { description: z.string().optional(), visibility: z.enum(VISIBILITIES).optional() };
const GroupPath = z.string().regex(/^\w[\w.-]*(\/\w[\w.-]*)*$/, 'is no path: group/subgroup was wanted');
const ProjectPath = z.string().regex(/^\w[\w.-]*(\/\w[\w.-]*)+$/, 'is no path: group/project was wanted');
const GroupEntry = z.strictObject({
  title: z.string().min(1).optional(),
  ...Texts,
  badges: z.array(Badge).default([]),
});
const ProjectEntry = GroupEntry.extend({
  default_branch: z.string().optional(),
  commit_sha: z.string().optional(),
  latest_tag: z.string().optional(),
  source: z.string().optional(),
  source_project: z.string().optional(),
});
const Exchange = z.strictObject({
  groups: z.record(GroupPath, GroupEntry).default({}),
  projects: z.record(ProjectPath, ProjectEntry).default({}),
});

/** One thing that an import does; `text` says it, `run` does it. */
interface Step {
  readonly text: string;
  readonly run: () => Promise<unknown>;
}

/** All definitions with their owners, as YAML that `importDefinitions` takes. */
export async function exportDefinitions(database: Database): Promise<string> {
  const groups: Record<string, z.input<typeof GroupEntry>> = {};
  for await (const group of all((paging) => listGroups(database, {}, paging))) {
    const { name, path, description, visibility, full_path } = group;
    groups[full_path] = {
      ...(name !== path && { title: name }),
      ...(description !== null && { description }),
      visibility: visibility as (typeof VISIBILITIES)[number],
      badges: await badgesOf(database, { groupId: group.id }),
    };
  }
  const projects: Record<string, z.input<typeof ProjectEntry>> = {};
  for await (const project of all((paging) => listProjects(database, {}, paging))) {
    const { name, path, description, visibility, source, source_project, full_path } = project;
    projects[full_path] = {
      ...(name !== path && { title: name }),
      ...(description !== null && { description }),
      visibility: visibility as (typeof VISIBILITIES)[number],
      ...(source !== null && { source }),
      ...(source_project !== null && { source_project }),
      ...(source === null && storedFacts(project)),
      badges: await badgesOf(database, { projectId: project.id }),
    };
  }
  return stringify({ groups: sorted(groups), projects: sorted(projects) });
}

/**
 * Makes the database say what the file says; run again it changes nothing. What the file does not name stays, unless
 * `prune` is asked for. Badges are the same when they have the same name, or, without one, the same URLs.
 * @returns what was done, or would be done with `dryRun`, a line each
 * @throws ExchangeError
 */
export async function importDefinitions(
  database: Database,
  text: string,
  { dryRun = false, prune = false }: { dryRun?: boolean; prune?: boolean } = {},
): Promise<readonly string[]> {
  const wanted = parseExchange(text);
  const done: string[] = [];
  const take = async (step: Step) => {
    done.push(step.text);
    if (!dryRun) await step.run();
  };
  const groups = Object.keys(wanted.groups);
  const added = await notFound(database, Object.keys(wanted.projects));
  for (const path of new Set([...[...groups, ...added].flatMap(pathsAbove), ...groups])) {
    await importGroup(database, path, wanted.groups[path], take);
  }
  for (const [path, { badges }] of Object.entries(wanted.groups)) {
    const group = await findGroup(database, path);
    await importBadges(database, `group ${path}`, group && { groupId: group.id }, badges, prune, take);
  }
  for (const [path, entry] of Object.entries(wanted.projects)) {
    await importProject(database, path, entry, take);
    const project = await findProject(database, path);
    await importBadges(database, `project ${path}`, project && { projectId: project.id }, entry.badges, prune, take);
  }
  if (prune) await pruneOwners(database, wanted, take);
  return done;
}

type Take = (step: Step) => Promise<void>;

function parseExchange(text: string): z.output<typeof Exchange> {
  let value: unknown;
  try {
    value = parse(text) ?? {};
  } catch (error) {
    throw new ExchangeError(`the definitions are no YAML: ${error instanceof Error ? error.message : error}`);
  }
  const result = Exchange.safeParse(value);
  if (result.success) return result.data;
  throw new ExchangeError(result.error.issues.map(explain).join('\n'));
}

function explain(issue: z.core.$ZodIssue): string {
  const message = (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message;
  return issue.path.length === 0 ? message : `${issue.path.join('.')}: ${message}`;
}

/** The paths at which there is no project yet. */
async function notFound(database: Database, paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(paths.map((path) => findProject(database, path)));
  return paths.filter((_, index) => !found[index]);
}

async function importGroup(
  database: Database,
  path: string,
  entry: z.output<typeof GroupEntry> | undefined,
  take: Take,
): Promise<void> {
  const found = await findGroup(database, path);
  const last = path.split('/').at(-1) ?? path;
  if (!found) {
    await take({
      text: `+ group ${path}`,
      run: async () => {
        const above = path.includes('/') ? await findGroup(database, path.slice(0, path.lastIndexOf('/'))) : undefined;
        const { title = last, description = null, visibility = 'private' } = entry ?? {};
        const group = { name: title, path: last, full_path: path, description, visibility };
        return addGroup(database, { ...group, parent_id: above?.id ?? null });
      },
    });
  } else if (entry) {
    const { title, description, visibility } = entry;
    const change = differences(found, { name: title, description, visibility });
    if (change)
      await take({ text: `~ group ${path}: ${namesOf(change)}`, run: () => editGroup(database, found.id, change) });
  }
}

async function importProject(
  database: Database,
  path: string,
  entry: z.output<typeof ProjectEntry>,
  take: Take,
): Promise<void> {
  const { title, badges: _badges, ...given } = entry;
  const found = await findProject(database, path);
  const last = path.split('/').at(-1) ?? path;
  if (found) {
    const change = differences(found, { name: title, ...given });
    if (change)
      await take({ text: `~ project ${path}: ${namesOf(change)}`, run: () => editProject(database, found.id, change) });
    return;
  }
  await take({
    text: `+ project ${path}`,
    run: async () => {
      const group = await findGroup(database, path.slice(0, path.lastIndexOf('/')));
      const { visibility = 'private', ...rest } = given;
      const project = { ...rest, visibility, name: title ?? last, path: last, full_path: path };
      return addProject(database, { ...project, group_id: group?.id ?? null });
    },
  });
}

async function importBadges(
  database: Database,
  place: string,
  owner: Owner | undefined,
  wanted: readonly z.output<typeof Badge>[],
  prune: boolean,
  take: Take,
): Promise<void> {
  const rest = owner ? [...(await definitionsOf(database, owner))] : [];
  for (const badge of wanted) {
    const { name = null, link_url, image_url } = badge;
    const index = rest.findIndex((found) => isSame(found, badge));
    const [found] = index < 0 ? [] : rest.splice(index, 1);
    const title = `badge ${name ?? image_url} of ${place}`;
    if (!found) {
      await take({
        text: `+ ${title}`,
        run: async () =>
          addDefinition(database, owner ?? (await ownerAt(database, place)), { name, link_url, image_url }),
      });
    } else if (owner && (found.link_url !== link_url || found.image_url !== image_url)) {
      await take({ text: `~ ${title}`, run: () => editDefinition(database, owner, found.id, { link_url, image_url }) });
    }
  }
  if (!prune || !owner) return;
  for (const { id, name, image_url } of rest) {
    await take({ text: `- badge ${name ?? image_url} of ${place}`, run: () => removeDefinition(database, owner, id) });
  }
}

/** An owner that the same import has just made. */
async function ownerAt(database: Database, place: string): Promise<Owner> {
  const [kind, path = ''] = place.split(' ');
  const found = kind === 'group' ? await findGroup(database, path) : await findProject(database, path);
  if (!found) throw new ExchangeError(`${place} is gone: something else changes the definitions too`);
  return kind === 'group' ? { groupId: found.id } : { projectId: found.id };
}

async function pruneOwners(database: Database, wanted: z.output<typeof Exchange>, take: Take): Promise<void> {
  const kept = new Set(
    Object.keys({ ...wanted.groups, ...wanted.projects })
      .map((path) => path.toLowerCase())
      .flatMap((path) => [path, ...pathsAbove(path)]),
  );
  const isLeft = ({ full_path_key }: Project | Group) => !kept.has(full_path_key);
  for (const project of (await Array.fromAsync(all((paging) => listProjects(database, {}, paging)))).filter(isLeft)) {
    await take({ text: `- project ${project.full_path}`, run: () => removeOwner(database, 'projects', project.id) });
  }
  for (const group of (await Array.fromAsync(all((paging) => listGroups(database, {}, paging)))).filter(isLeft)) {
    await take({ text: `- group ${group.full_path}`, run: () => removeOwner(database, 'groups', group.id) });
  }
}

function isSame(found: Definition, badge: z.output<typeof Badge>): boolean {
  if (badge.name !== undefined || found.name !== null) return found.name === (badge.name ?? null);
  return found.link_url === badge.link_url && found.image_url === badge.image_url;
}

/** The fields that are given and differ; `undefined` for none. */
function differences<Row extends object>(
  row: Row,
  given: Partial<Record<keyof Row, string | undefined>>,
): Partial<Row> | undefined {
  const changed = Object.entries(given).filter(
    ([name, value]) => value !== undefined && row[name as keyof Row] !== value,
  );
  return changed.length > 0 ? (Object.fromEntries(changed) as Partial<Row>) : undefined;
}

function namesOf(change: object): string {
  return Object.keys(change).join(', ');
}

/** `a/b/c` lies in `a` and `a/b`; outermost first. */
function pathsAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

async function badgesOf(database: Database, owner: Owner): Promise<z.input<typeof Badge>[]> {
  const definitions = await definitionsOf(database, owner);
  return definitions.map(({ name, link_url, image_url }) => ({ ...(name !== null && { name }), link_url, image_url }));
}

async function definitionsOf(database: Database, owner: Owner): Promise<readonly Definition[]> {
  const scope = 'projectId' in owner ? { ...owner, groupIds: [] } : { groupIds: [owner.groupId] };
  return Array.fromAsync(all((paging) => listDefinitions(database, scope, undefined, paging)));
}

/** Every item of a list that is read in pages. */
async function* all<Item>(list: (paging: Paging) => Promise<Page<Item>>): AsyncIterable<Item> {
  const perPage = 100;
  for (let page = 1; ; page += 1) {
    const { items } = await list({ page, perPage });
    yield* items;
    if (items.length < perPage) return;
  }
}

function sorted<Value>(entries: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}
