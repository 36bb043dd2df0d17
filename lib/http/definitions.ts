import express, { type Request, type Response, type Router } from 'express';
import type { Access } from '../access/index.ts';
import { type Facts, type RenderedUrls, refusalOf, renderAll, type Urls } from '../definitions/index.ts';
import {
  addDefinition,
  type Database,
  type Definition,
  type DefinitionChange,
  type DefinitionScope,
  editDefinition,
  findDefinition,
  findGroup,
  findProject,
  firstProjectOf,
  type Group,
  groupsAbove,
  listDefinitions,
  type Owner,
  type Project,
  removeDefinition,
} from '../storage/index.ts';
import { NOT_KEPT, sendAnswer, toAnswer } from './answer.ts';
import { readBody } from './arguments.ts';
import type { Ask, CiBadges } from './ci-badges.ts';
import {
  type Caller,
  callerOf,
  demand,
  gitlabErrors,
  gitlabHeaders,
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

export interface DefinitionParts {
  readonly database: Database;
  readonly access: Access;
  readonly facts: Facts;
  readonly badges: CiBadges;
  readonly site: Site;
}

/** Whose definitions a route is about. */
interface Subject {
  readonly owner: Owner;
  readonly scope: DefinitionScope;
  /** The project that placeholders stand for. */
  readonly project: Project | undefined;
  readonly fullPath: string;
}

type SubjectOf = (ref: string, caller: Caller) => Promise<Subject>;

/** GitLab's badges API. https://docs.gitlab.com/api/project_badges and https://docs.gitlab.com/api/group_badges */
export function definitionsRouter(parts: DefinitionParts): Router {
  const router = express.Router();
  router.use('/api/v4', gitlabHeaders);
  router.use(
    '/api/v4/projects/:id/badges',
    badgesRouter(parts, (ref, caller) => projectSubject(parts, ref, caller)),
  );
  router.use(
    '/api/v4/groups/:id/badges',
    badgesRouter(parts, (ref, caller) => groupSubject(parts, ref, caller)),
  );
  router.use('/api/v4', gitlabErrors);
  return router;
}

function badgesRouter(parts: DefinitionParts, subjectOf: SubjectOf): Router {
  const { database, access, facts, site } = parts;
  const router = express.Router({ mergeParams: true });
  const open = (request: Request) => {
    const params = paramsOf(request);
    return { params, caller: callerOf(request, access, params) };
  };
  const render = async (request: Request, subject: Subject, definitions: readonly Definition[]) => {
    const rendered = await renderAll(definitions, subject.project, site.names(request), facts);
    return rendered.map(toEntity);
  };

  router.use(readBody);

  router.get('/', async (request: Request<{ id: string }>, response) => {
    const params = paramsOf(request);
    const paging = pagingOf(params);
    const caller = callerOf(request, access, params);
    const subject = await subjectOf(request.params.id, caller);
    const { name } = textsOf(params, ['name']);
    const { items, total } = await listDefinitions(database, subject.scope, name ?? undefined, paging);
    setPaging(response, site.address(request).replace(/\/$/, ''), request, params, paging, total);
    sendJson(response, 200, await render(request, subject, items));
  });

  router.post('/', async (request: Request<{ id: string }>, response) => {
    const { params, caller } = open(request);
    signedIn(caller);
    demand(params, ['link_url', 'image_url']);
    const subject = await subjectOf(request.params.id, caller);
    mayWrite(caller, subject);
    const { link_url = '', image_url = '', name = null } = readChange(params);
    const added = await addDefinition(database, subject.owner, { link_url, image_url, name });
    const [entity] = await render(request, subject, [added]);
    sendJson(response, 201, entity);
  });

  router.all('/', onlyMethods('GET', 'HEAD', 'POST'));

  router.get('/render', async (request: Request<{ id: string }>, response) => {
    demand(paramsOf(request), ['link_url', 'image_url']);
    const { params, caller } = open(request);
    signedIn(caller);
    const subject = await subjectOf(request.params.id, caller);
    mayWrite(caller, subject);
    const { link_url = '', image_url = '' } = readChange(params);
    const urls: Urls[] = [{ link_url, image_url }];
    const [rendered] = await renderAll(urls, subject.project, site.names(request), facts);
    sendJson(response, 200, { name: null, ...rendered });
  });

  router.all('/render', onlyMethods('GET', 'HEAD'));

  router.get('/:badge', async (request: Request<{ id: string; badge: string }>, response) => {
    const id = badgeId(request.params.badge);
    const { caller } = open(request);
    const subject = await subjectOf(request.params.id, caller);
    const definition = await findDefinition(database, subject.owner, id);
    if (!definition) throw notFound();
    const [entity] = await render(request, subject, [definition]);
    sendJson(response, 200, entity);
  });

  router.put('/:badge', async (request: Request<{ id: string; badge: string }>, response) => {
    const { params, caller } = open(request);
    signedIn(caller);
    const subject = await subjectOf(request.params.id, caller);
    mayWrite(caller, subject);
    const id = idOf(request.params.badge);
    if (id === undefined || !(await findDefinition(database, subject.owner, id))) throw notFound();
    const edited = await editDefinition(database, subject.owner, id, readChange(params));
    if (!edited) throw notFound();
    const [entity] = await render(request, subject, [edited]);
    sendJson(response, 200, entity);
  });

  router.delete('/:badge', async (request: Request<{ id: string; badge: string }>, response) => {
    const { caller } = open(request);
    signedIn(caller);
    const id = badgeId(request.params.badge);
    const subject = await subjectOf(request.params.id, caller);
    mayWrite(caller, subject);
    const definition = await findDefinition(database, subject.owner, id);
    if (!definition) throw notFound();
    const unmodifiedSince = Date.parse(request.get('if-unmodified-since') ?? '');
    if (Math.floor(definition.updated_at / 1000) * 1000 > unmodifiedSince) {
      throw new Refusal(412, { message: '412 Precondition Failed' });
    }
    if (!(await removeDefinition(database, subject.owner, id))) throw notFound();
    response.status(204).end();
  });

  router.all('/:badge', onlyMethods('GET', 'HEAD', 'PUT', 'DELETE'));

  const follow =
    (kind: 'image' | 'link') => async (request: Request<{ id: string; badge: string }>, response: Response) => {
      const id = badgeId(request.params.badge);
      const { caller } = open(request);
      const subject = await subjectOf(request.params.id, caller);
      const definition = await inScope(database, subject, id);
      if (!definition) throw notFound();
      const [urls] = await renderAll([definition], subject.project, site.names(request), facts);
      const target = kind === 'image' ? urls?.rendered_image_url : urls?.rendered_link_url;
      if (!target) throw notFound();
      const own = askOfOwn(target, site.root(request), kind);
      if (own) {
        const answer = await parts.badges[kind](own);
        // What a token shows must not lie in a shared cache, of which tokens in a header are no part.
        const shared = answer.life.shared && caller.grant === undefined;
        return sendAnswer(
          request,
          response,
          { ...answer, life: { ...answer.life, shared } },
          response.locals.requestId,
        );
      }
      // A header holds only so many characters; what is encoded already stays as it is.
      const location = target.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
      sendAnswer(request, response, toAnswer(302, { Location: location }, REDIRECT_LIFE()), response.locals.requestId);
    };
  router.get('/:badge/image', follow('image'));
  router.get('/:badge/link', follow('link'));
  return router;
}

/** A redirect is good for a minute: as long as the facts in it. */
const REDIRECT_LIFE = () => ({ ...NOT_KEPT, freshUntil: Date.now() + 60_000 });

/** What a URL that points at this very host asks for; `undefined` for any other URL. */
function askOfOwn(target: string, root: string, kind: 'image' | 'link'): Ask | undefined {
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (!url || `${url.origin}${url.pathname}` !== `${root}/api/ci-badges/${kind}`) return undefined;
  const args = [...url.searchParams];
  const key = args.find(([name]) => ['key', 'api_key'].includes(name.toLowerCase()))?.[1];
  return { args, key: { text: key, inAddress: true } };
}

async function projectSubject({ database }: DefinitionParts, ref: string, caller: Caller): Promise<Subject> {
  const id = idOf(ref);
  const project = id !== undefined || ref.includes('/') ? await findProject(database, id ?? ref) : undefined;
  if (!project || !isVisible(project, caller)) throw notFound('Project Not Found');
  const groups = project.group_id === null ? [] : await groupsAbove(database, project.full_path);
  return {
    owner: { projectId: project.id },
    scope: { projectId: project.id, groupIds: groups.map((group) => group.id) },
    project,
    fullPath: project.full_path,
  };
}

async function groupSubject({ database }: DefinitionParts, ref: string, caller: Caller): Promise<Subject> {
  const group = await findGroup(database, idOf(ref) ?? ref);
  if (!group || !isVisible(group, caller)) throw notFound('Group Not Found');
  return {
    owner: { groupId: group.id },
    scope: { groupIds: [group.id] },
    project: await firstProjectOf(database, group.id, !caller.mayRead(group.full_path)),
    fullPath: group.full_path,
  };
}

export function isVisible({ visibility, full_path }: Project | Group, caller: Caller): boolean {
  return visibility === 'public' || caller.mayRead(full_path);
}

/** A key that is limited to other applications may read what is public, and write nothing. */
function mayWrite(caller: Caller, { fullPath }: Subject): void {
  if (!caller.mayRead(fullPath)) throw new Refusal(403, { message: '403 Forbidden' });
}

/** A definition of the project's list, inherited ones included. */
async function inScope(database: Database, { owner, scope }: Subject, id: number): Promise<Definition | undefined> {
  const own = await findDefinition(database, owner, id);
  if (own) return own;
  const inherited = await Promise.all(scope.groupIds.map((groupId) => findDefinition(database, { groupId }, id)));
  return inherited.find((definition) => definition !== undefined);
}

function badgeId(text: string): number {
  const id = idOf(text);
  if (id === undefined) throw new Refusal(400, { error: 'badge_id is invalid' });
  return id;
}

const LONGEST_NAME = 255;

/**
 * What is to be changed, as it is to be stored.
 * @throws Refusal 400 that says of every field what is wrong with it
 */
function readChange(
  params: Params,
): Omit<DefinitionChange, 'link_url' | 'image_url'> & { link_url?: string; image_url?: string } {
  const texts = textsOf(params, ['link_url', 'image_url', 'name']);
  const refusals: Record<string, string[]> = {};
  for (const name of ['link_url', 'image_url'] as const) {
    const refusal = texts[name] === undefined ? undefined : refusalOf(texts[name] ?? '');
    if (refusal) refusals[name] = [refusal];
  }
  if ((texts.name?.length ?? 0) > LONGEST_NAME) refusals.name = [`is too long (maximum is ${LONGEST_NAME} characters)`];
  if (Object.keys(refusals).length > 0) throw invalid(refusals);
  return {
    ...(texts.link_url != null && { link_url: texts.link_url.trim() }),
    ...(texts.image_url != null && { image_url: texts.image_url.trim() }),
    ...(texts.name !== undefined && { name: texts.name }),
  };
}

function toEntity(definition: Definition & RenderedUrls): object {
  const { name, link_url, image_url, rendered_link_url, rendered_image_url, id, project_id } = definition;
  const kind = project_id === null ? 'group' : 'project';
  return { name, link_url, image_url, rendered_link_url, rendered_image_url, id, kind };
}
