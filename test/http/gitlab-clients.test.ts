import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { GroupBadges, Groups, ProjectBadges, Projects } from '@gitbeaker/rest';
import { freshSqlite, idOf, startHost, type TestHost, TOKENS } from '../definitions-host.ts';

const LINK = 'https://ci.test/%{project_path}?ref=%{default_branch}';
const IMAGE = 'https://ci.test/%{project_path}.svg';
const RENDERED = {
  rendered_link_url: 'https://ci.test/acme/web?ref=main',
  rendered_image_url: 'https://ci.test/acme/web.svg',
};
const BADGE = { name: 'Coverage', link_url: LINK, image_url: IMAGE, ...RENDERED };

/** A host with the group `acme` and its project `acme/web`. */
async function startShop(fresh: () => Promise<string>) {
  const host = await startHost(await fresh());
  const api = { token: TOKENS.api };
  const group = idOf(await host.send('POST', '/groups', { ...api, json: { name: 'Acme', path: 'acme' } }));
  const json = { name: 'web', namespace_id: group, default_branch: 'main' };
  const project = idOf(await host.send('POST', '/projects', { ...api, json }));
  return { host, group, project };
}

describe('@gitbeaker/rest', () => {
  const fresh = freshSqlite();
  let host: TestHost;
  let group: number;
  let project: number;
  before(async () => {
    ({ host, group, project } = await startShop(fresh));
  });
  after(() => host.close());

  const settings = () => ({ host: host.origin, token: TOKENS.api });

  for (const [kind, badgesOf, ids] of [
    ['project', () => new ProjectBadges(settings()), () => [project, 'acme/web']],
    ['group', () => new GroupBadges(settings()), () => [group, 'acme']],
  ] as const) {
    it(`adds, shows, edits, lists, previews and removes badges of a ${kind}`, async () => {
      const badges = badgesOf();
      for (const owner of ids()) {
        const added = await badges.add(owner, LINK, IMAGE, { name: 'Coverage' });
        assert.deepEqual(added, { ...BADGE, id: added.id, kind });
        assert.deepEqual(await badges.show(owner, added.id), added);
        assert.deepEqual(await badges.all(owner, { name: 'Coverage' }), [added]);

        const edited = await badges.edit(owner, added.id, { imageUrl: 'https://ci.test/x.svg', name: 'Other' });
        const image = { image_url: 'https://ci.test/x.svg', rendered_image_url: 'https://ci.test/x.svg' };
        assert.deepEqual(edited, { ...added, ...image, name: 'Other' });

        assert.deepEqual(await badges.preview(owner, LINK, IMAGE), { ...BADGE, name: null });
        await badges.remove(owner, added.id);
        assert.deepEqual(await badges.all(owner), []);
      }
    });
  }

  it('reads a list of several pages whole, in order', async () => {
    const badges = new ProjectBadges(settings());
    const ids: number[] = [];
    for (let count = 0; count < 7; count += 1) ids.push((await badges.add(project, LINK, IMAGE)).id);
    const before = host.got.length;
    const all = await badges.all(project, { perPage: 3 });
    assert.equal(host.got.length - before, 3);
    assert.deepEqual(
      all.map(({ id }) => id),
      ids,
    );
    for (const id of ids) await badges.remove(project, id);
  });

  it('understands what is refused', async () => {
    const badges = new ProjectBadges(settings());
    const description = async (asked: Promise<unknown>) => {
      const error = await asked.then(
        () => assert.fail('nothing was refused'),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof Error);
      const { cause } = error as { cause?: { response?: Response; description?: unknown } };
      return [cause?.response?.status, cause?.description];
    };
    assert.deepEqual(await description(badges.show(project, 999)), [404, '404 Not found']);
    assert.deepEqual(await description(badges.all('acme/nothing')), [404, '404 Project Not Found']);
    assert.deepEqual(await description(badges.add(project, 'x', IMAGE)), [
      400,
      JSON.stringify({ link_url: ['is blocked: Only allowed schemes are http, https'] }),
    ]);
    const stranger = new ProjectBadges({ host: host.origin, token: 'nobody' });
    assert.deepEqual(await description(stranger.all(project)), [401, '401 Unauthorized']);
  });

  it('carries a token as bearer too', async () => {
    const badges = new ProjectBadges({ host: host.origin, oauthToken: TOKENS.api });
    assert.deepEqual(await badges.all(project), []);
  });

  it('makes, shows, lists, edits and removes projects', async () => {
    const projects = new Projects(settings());
    const made = await projects.create({ name: 'Tool', path: 'tool', namespaceId: group, visibility: 'public' });
    assert.deepEqual([made.path_with_namespace, made.namespace.id, made.visibility], ['acme/tool', group, 'public']);
    assert.deepEqual(await projects.show('acme/tool'), made);
    assert.deepEqual(
      (await projects.all()).map(({ id }) => id),
      [made.id, project],
    );
    assert.deepEqual(
      (await projects.all({ search: 'TOO' })).map(({ id }) => id),
      [made.id],
    );
    assert.equal((await projects.edit(made.id, { description: 'A tool' })).description, 'A tool');
    await projects.remove(made.id);
    assert.deepEqual(
      (await projects.all()).map(({ id }) => id),
      [project],
    );
  });

  it('makes, shows, lists, edits and removes groups', async () => {
    const groups = new Groups(settings());
    const made = await groups.create('Shop', 'shop', { parentId: group, description: 'x' });
    assert.deepEqual([made.full_path, made.full_name, made.parent_id], ['acme/shop', 'Acme / Shop', group]);
    assert.equal((await groups.show('acme/shop')).id, made.id);
    assert.deepEqual(
      (await groups.all()).map(({ full_path }) => full_path),
      ['acme', 'acme/shop'],
    );
    assert.deepEqual(
      (await groups.allSubgroups(group)).map(({ id }) => id),
      [made.id],
    );
    assert.deepEqual(
      (await groups.allProjects(group)).map(({ id }) => id),
      [project],
    );
    assert.equal((await groups.edit(made.id, { description: 'y' })).description, 'y');
    await groups.remove(made.id);
    assert.deepEqual(
      (await groups.all()).map(({ id }) => id),
      [group],
    );
  });
});

const PYTHON = '/usr/bin/python3';
const hasPythonGitlab = spawnSync(PYTHON, ['-c', 'import gitlab']).status === 0;

/** What python-gitlab does, printed as JSON. Warnings are errors: it warns of an answer or a link that is not as GitLab's. */
const SCRIPT = `
import json, sys, warnings
warnings.simplefilter("error", UserWarning)
import gitlab
origin, token, link, image = sys.argv[1:5]
client = gitlab.Gitlab(origin, private_token=token)
client.auth()
said = {"user": client.user.username, "version": client.version()[1]}
for owners, path in ((client.projects, "acme/web"), (client.groups, "acme")):
    for lazy in (True, False):
        badges = owners.get(path, lazy=lazy).badges
        badge = badges.create({"link_url": link, "image_url": image, "name": "Coverage"})
        said[path] = {"added": badge.attributes, "got": badges.get(badge.id).attributes}
        badge.image_url = "https://ci.test/saved.svg"
        badge.save()
        said[path]["saved"] = badges.get(badge.id).rendered_image_url
        badges.update(badge.id, {"name": "Other"})
        said[path]["updated"] = badges.get(badge.id).name
        said[path]["rendered"] = badges.render(link, image)
        more = [badges.create({"link_url": link, "image_url": image}).id for _ in range(4)]
        said[path]["listed"] = [b.id for b in badges.list(iterator=True, per_page=2)] == [badge.id, *more]
        for each in (badge.id, *more):
            badges.delete(each)
        said[path]["left"] = len(badges.list())
        try:
            badges.get(badge.id)
        except gitlab.exceptions.GitlabGetError as error:
            said[path]["gone"] = [error.response_code, error.error_message]
        try:
            badges.create({"link_url": "x", "image_url": image})
        except gitlab.exceptions.GitlabCreateError as error:
            said[path]["refused"] = [error.response_code, error.error_message]
made = client.projects.create({"name": "Tool", "namespace_id": client.groups.get("acme").id})
said["projects"] = [p.path_with_namespace for p in client.projects.list()]
made.delete()
try:
    gitlab.Gitlab(origin, private_token="nobody").projects.get("acme/web", lazy=True).badges.list()
except gitlab.exceptions.GitlabAuthenticationError as error:
    said["stranger"] = error.error_message
print(json.dumps(said))
`;

describe('python-gitlab', () => {
  if (!hasPythonGitlab) {
    // There is no python-gitlab to call with.
    it.skip(`${PYTHON} has no module gitlab: Debian's python3-gitlab would be one`);
    return;
  }
  const fresh = freshSqlite();

  it('adds, gets, saves, updates, renders, lists and deletes badges of projects and groups', async () => {
    const { host } = await startShop(fresh);
    try {
      const { stdout } = await promisify(execFile)(PYTHON, ['-c', SCRIPT, host.origin, TOKENS.api, LINK, IMAGE]);
      const said = JSON.parse(stdout);
      for (const [path, kind, parent] of [
        ['acme/web', 'project', { project_id: 'acme/web' }],
        ['acme', 'group', { group_id: 'acme' }],
      ] as const) {
        const { added, got, ...rest } = said[path];
        assert.deepEqual({ ...BADGE, kind, ...parent, id: added.id }, { ...added, ...parent });
        assert.deepEqual(got, added);
        assert.deepEqual(rest, {
          saved: 'https://ci.test/saved.svg',
          updated: 'Other',
          rendered: { ...BADGE, name: null },
          listed: true,
          left: 0,
          gone: [404, '404 Not found'],
          refused: [400, { link_url: ['is blocked: Only allowed schemes are http, https'] }],
        });
      }
      assert.deepEqual(
        [said.user, said.version, said.projects, said.stranger],
        ['maintainer', 'signalbox', ['acme/Tool', 'acme/web'], '401 Unauthorized'],
      );
    } finally {
      await host.close();
    }
  });
});
