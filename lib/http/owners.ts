import express, { type Request, type Router } from 'express';
import pkg from '#package' with { type: 'json' };
import type { Access } from '../access/index.ts';
import { nameWithNamespace } from '../definitions/index.ts';
import {
  addGroup,
  addProject,
  type Database,
  editGroup,
  editProject,
  findGroup,
  findProject,
  type Group,
  groupsAbove,
  listGroups,
  listProjects,
  type Project,
  type ProjectChange,
  removeOwner,
  VISIBILITIES,
} from '../storage/index.ts';
import { readBody } from './arguments.ts';
import { isVisible } from './definitions.ts';
import {
  type Caller,
  callerOf,
  demand,
  gitlabErrors,
  idOf,
  invalid,
  notFound,
  onlyMethods,
  type Params,
  pagingOf,
  paramsOf,
  Refusal,
  sendJson,
  setPaging,
  signedIn,
  textsOf,
} from './gitlab.ts';
import type { Site } from './site.ts';

export interface OwnerParts {
  readonly database: Database;
  readonly access: Access;
  readonly site: Site;
  /** Whether a source of that name is configured. */
  readonly hasSource: (name: string) => boolean;
}

const PROJECT_TEXTS = [
  'description',
  'default_branch',
  'commit_sha',
  'latest_tag',
  'source',
  'source_project',
] as const;

/** The projects and groups that own definitions: the part of GitLab's API that clients need. */
export function ownersRouter(parts: OwnerParts): Router {
  const { database, access, site } = parts;
  const router = express.Router();
  const open = (request: Request) => {
    const params = paramsOf(request);
    return { params, caller: callerOf(request, access, params) };
  };
  router.use('/api/v4', readBody);

  router.get('/api/v4/version', (request, response) => {
    signedIn(open(request).caller);
    sendJson(response, 200, { version: pkg.version, revision: 'signalbox' });
  });

  router.get('/api/v4/user', (request, response) => {
    const { key = 'key' } = signedIn(open(request).caller);
    sendJson(response, 200, { id: 1, username: key, name: key, state: 'active', web_url: `${site.root(request)}/` });
  });

  router.get('/api/v4/projects', async (request, response) => {
    const { params, caller } = open(request);
    const paging = pagingOf(params);
    const { search } = textsOf(params, ['search']);
    const { items, total } = await listProjects(
      database,
      { ...(search && { search }), publicOnly: !caller.grant },
      paging,
    );
    setPaging(response, site.address(request), request, params, paging, total);
    const visible = items.filter((project) => isVisible(project, caller));
    sendJson(response, 200, await Promise.all(visible.map((project) => toProject(parts, request, project))));
  });

  router.post('/api/v4/projects', async (request, response) => {
    const { params, caller } = open(request);
    const { key = 'key' } = signedIn(caller);
    const { name, path } = namesOf(params);
    const group = await namespaceOf(parts, params.get('namespace_id'), caller);
    const full_path = `${group?.full_path ?? userPath(key)}/${path}`;
    if (!caller.mayRead(full_path)) throw new Refusal(403, { message: '403 Forbidden' });
    const added = await addProject(database, {
      ...readProject(parts, params),
      name,
      path,
      full_path,
      visibility: visibilityOf(params) ?? 'private',
      group_id: group?.id ?? null,
    });
    if (!added) throw invalid({ path: ['has already been taken'] });
    sendJson(response, 201, await toProject(parts, request, added));
  });
  router.all('/api/v4/projects', onlyMethods('GET', 'HEAD', 'POST'));

  router.get('/api/v4/projects/:id', async (request, response) => {
    const { caller } = open(request);
    sendJson(response, 200, await toProject(parts, request, await projectOf(parts, request.params.id, caller)));
  });

  router.put('/api/v4/projects/:id', async (request, response) => {
    const { params, caller } = open(request);
    signedIn(caller);
    const project = await projectOf(parts, request.params.id, caller);
    mayWrite(caller, project);
    const name = newNameOf(params);
    const visibility = visibilityOf(params);
    const change = { ...readProject(parts, params), ...(name && { name }), ...(visibility && { visibility }) };
    const edited = await editProject(database, project.id, change);
    if (!edited) throw notFound('Project Not Found');
    sendJson(response, 200, await toProject(parts, request, edited));
  });

  router.delete('/api/v4/projects/:id', async (request, response) => {
    const { caller } = open(request);
    signedIn(caller);
    const project = await projectOf(parts, request.params.id, caller);
    mayWrite(caller, project);
    await removeOwner(database, 'projects', project.id);
    sendJson(response, 202, { message: '202 Accepted' });
  });
  router.all('/api/v4/projects/:id', onlyMethods('GET', 'HEAD', 'PUT', 'DELETE'));

  const listGroupsBelow = async (request: Request, response: express.Response, above?: Group) => {
    const { params, caller } = open(request);
    const paging = pagingOf(params);
    const { search } = textsOf(params, ['search']);
    const filter = { ...(search && { search }), ...(above && { groupId: above.id }), publicOnly: !caller.grant };
    const { items, total } = await listGroups(database, filter, paging);
    setPaging(response, site.address(request), request, params, paging, total);
    const visible = items.filter((group) => isVisible(group, caller));
    sendJson(response, 200, await Promise.all(visible.map((group) => toGroup(parts, request, group))));
  };
  router.get('/api/v4/groups', (request, response) => listGroupsBelow(request, response));

  router.post('/api/v4/groups', async (request, response) => {
    const { params, caller } = open(request);
    signedIn(caller);
    demand(params, ['name', 'path']);
    const { name, path } = namesOf(params);
    const above = await namespaceOf(parts, params.get('parent_id'), caller);
    const full_path = above ? `${above.full_path}/${path}` : path;
    if (!caller.mayRead(full_path)) throw new Refusal(403, { message: '403 Forbidden' });
    const { description = null } = textsOf(params, ['description']);
    const visibility = visibilityOf(params) ?? 'private';
    const added = await addGroup(database, {
      name,
      path,
      full_path,
      description,
      visibility,
      parent_id: above?.id ?? null,
    });
    if (!added) throw invalid({ path: ['has already been taken'] });
    sendJson(response, 201, await toGroup(parts, request, added));
  });
  router.all('/api/v4/groups', onlyMethods('GET', 'HEAD', 'POST'));

  router.get('/api/v4/groups/:id', async (request, response) => {
    const { caller } = open(request);
    sendJson(response, 200, await toGroup(parts, request, await groupOf(parts, request.params.id, caller)));
  });

  router.put('/api/v4/groups/:id', async (request, response) => {
    const { params, caller } = open(request);
    signedIn(caller);
    const group = await groupOf(parts, request.params.id, caller);
    mayWrite(caller, group);
    const name = newNameOf(params);
    const { description } = textsOf(params, ['description']);
    const visibility = visibilityOf(params);
    const edited = await editGroup(database, group.id, {
      ...(name && { name }),
      ...(description !== undefined && { description }),
      ...(visibility && { visibility }),
    });
    if (!edited) throw notFound('Group Not Found');
    sendJson(response, 200, await toGroup(parts, request, edited));
  });

  router.delete('/api/v4/groups/:id', async (request, response) => {
    const { caller } = open(request);
    signedIn(caller);
    const group = await groupOf(parts, request.params.id, caller);
    mayWrite(caller, group);
    await removeOwner(database, 'groups', group.id);
    sendJson(response, 202, { message: '202 Accepted' });
  });
  router.all('/api/v4/groups/:id', onlyMethods('GET', 'HEAD', 'PUT', 'DELETE'));

  router.get('/api/v4/groups/:id/subgroups', async (request, response) => {
    await listGroupsBelow(request, response, await groupOf(parts, request.params.id, open(request).caller));
  });

  router.get('/api/v4/groups/:id/projects', async (request, response) => {
    const { params, caller } = open(request);
    const paging = pagingOf(params);
    const group = await groupOf(parts, request.params.id, caller);
    const { items, total } = await listProjects(database, { groupId: group.id, publicOnly: !caller.grant }, paging);
    setPaging(response, site.address(request), request, params, paging, total);
    const visible = items.filter((project) => isVisible(project, caller));
    sendJson(response, 200, await Promise.all(visible.map((project) => toProject(parts, request, project))));
  });

  router.use('/api/v4', (_request, response) => sendJson(response, 404, { error: '404 Not Found' }));
  router.use('/api/v4', gitlabErrors);
  return router;
}

/** By number, or by full path, which has a slash. */
async function projectOf({ database }: OwnerParts, ref: string, caller: Caller): Promise<Project> {
  const id = idOf(ref);
  const project = id !== undefined || ref.includes('/') ? await findProject(database, id ?? ref) : undefined;
  if (!project || !isVisible(project, caller)) throw notFound('Project Not Found');
  return project;
}

/** By number, or by full path. */
async function groupOf({ database }: OwnerParts, ref: string, caller: Caller): Promise<Group> {
  const group = await findGroup(database, idOf(ref) ?? ref);
  if (!group || !isVisible(group, caller)) throw notFound('Group Not Found');
  return group;
}

/** The group that a new project or group is to lie in; `undefined` for none. */
async function namespaceOf(parts: OwnerParts, ref: unknown, caller: Caller): Promise<Group | undefined> {
  if (ref === undefined || ref === null || ref === '') return undefined;
  const id = idOf(String(ref));
  const group = id === undefined ? undefined : await findGroup(parts.database, id);
  if (!group || !isVisible(group, caller)) throw invalid({ namespace: ['is not valid'] });
  return group;
}

function mayWrite(caller: Caller, { full_path }: Project | Group): void {
  if (!caller.mayRead(full_path)) throw new Refusal(403, { message: '403 Forbidden' });
}

/** As GitLab: letters, digits, `_`, `-` and `.`, not at the ends where that would mislead. */
const PATH = /^[A-Za-z0-9_](?:[\w.-]*[\w])?$/;

/** Name and path, of which one is enough. */
function namesOf(params: Params): { name: string; path: string } {
  const texts = textsOf(params, ['name', 'path']);
  if (!texts.name && !texts.path)
    throw new Refusal(400, { error: 'name, path are missing, at least one parameter must be provided' });
  const name = (texts.name || texts.path || '').trim();
  const path = texts.path || name.replace(/[^\w.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
  const refusals: Record<string, string[]> = {};
  const refusal = refusalOfName(name);
  if (refusal) refusals.name = [refusal];
  if (!PATH.test(path) || path.length > 255) {
    refusals.path = ["can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or '.', end in '.'"];
  }
  if (Object.keys(refusals).length > 0) throw invalid(refusals);
  return { name, path };
}

/** The name of something that is there already, if it is to have another. */
function newNameOf(params: Params): string | undefined {
  const { name } = textsOf(params, ['name']);
  if (name === undefined) return undefined;
  const text = name?.trim() ?? '';
  const refusal = refusalOfName(text);
  if (refusal) throw invalid({ name: [refusal] });
  return text;
}

function refusalOfName(name: string): string | undefined {
  if (name === '') return "can't be blank";
  return name.length > 255 ? 'is too long (maximum is 255 characters)' : undefined;
}

function visibilityOf(params: Params): string | undefined {
  const { visibility } = textsOf(params, ['visibility']);
  if (visibility === undefined) return undefined;
  if (!VISIBILITIES.some((known) => known === visibility)) {
    throw new Refusal(400, { error: 'visibility does not have a valid value' });
  }
  return visibility ?? undefined;
}

/**
 * What may be said of a project beside its name and place; an empty text takes it back. `source` and `source_project` are
 * Signalbox's own.
 */
function readProject({ hasSource }: OwnerParts, params: Params): ProjectChange {
  const texts = textsOf(params, PROJECT_TEXTS);
  if (texts.source && !hasSource(texts.source))
    throw invalid({ source: [`there is no source \`${texts.source}\` here`] });
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, text || null]));
}

/** The namespace of projects that lie in no group: that of the key which made them. */
function userPath(key: string): string {
  return key.replace(/[^\w.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '') || 'key';
}

async function toProject({ database, site }: OwnerParts, request: Request, project: Project): Promise<object> {
  const groups = project.group_id === null ? [] : await groupsAbove(database, project.full_path);
  const group = groups.at(-1);
  const above = project.full_path.slice(0, -project.path.length - 1);
  return {
    id: project.id,
    description: project.description,
    name: project.name,
    name_with_namespace: nameWithNamespace(group ? groups : [{ name: above }], project.name),
    path: project.path,
    path_with_namespace: project.full_path,
    created_at: new Date(project.created_at).toISOString(),
    default_branch: project.default_branch,
    visibility: project.visibility,
    web_url: `${site.root(request)}/projects/${project.full_path}`,
    namespace: group
      ? {
          id: group.id,
          name: group.name,
          path: group.path,
          kind: 'group',
          full_path: group.full_path,
          parent_id: group.parent_id,
        }
      : { id: null, name: above, path: above, kind: 'user', full_path: above, parent_id: null },
    commit_sha: project.commit_sha,
    latest_tag: project.latest_tag,
    source: project.source,
    source_project: project.source_project,
  };
}

async function toGroup({ database, site }: OwnerParts, request: Request, group: Group): Promise<object> {
  const groups = await groupsAbove(database, group.full_path);
  return {
    id: group.id,
    name: group.name,
    path: group.path,
    description: group.description,
    visibility: group.visibility,
    full_name: nameWithNamespace(groups, group.name),
    full_path: group.full_path,
    parent_id: group.parent_id,
    created_at: new Date(group.created_at).toISOString(),
    web_url: `${site.root(request)}/groups/${group.full_path}`,
  };
}
