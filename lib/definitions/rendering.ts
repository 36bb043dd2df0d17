import type { Definition, Group, Project } from '../storage/index.ts';
import type { Facts } from './facts.ts';
import { createRenderer, hasPlaceholder, type PlaceholderValues } from './placeholder.ts';

/** The two URLs of a definition. */
export type Urls = Pick<Definition, 'link_url' | 'image_url'>;

export interface RenderedUrls extends Urls {
  readonly rendered_link_url: string;
  readonly rendered_image_url: string;
}

/** Names of this server, for `gitlab_server` and `gitlab_pages_domain`. */
export interface ServerNames {
  readonly server: string;
  readonly pages: string;
}

/**
 * Renders the URLs of definitions for one project, whose source is asked only for what they hold. Without a project the
 * placeholders stay as they are.
 */
export async function renderAll<Item extends Urls>(
  items: readonly Item[],
  project: Project | undefined,
  names: ServerNames,
  facts: Facts,
): Promise<readonly (Item & RenderedUrls)[]> {
  const urls = items.flatMap(({ link_url, image_url }) => [link_url, image_url]);
  const render = createRenderer(project ? await valuesFor(project, urls, names, facts) : {});
  return items.map((item) => ({
    ...item,
    rendered_link_url: render(item.link_url),
    rendered_image_url: render(item.image_url),
  }));
}

async function valuesFor(
  project: Project,
  urls: readonly string[],
  { server, pages }: ServerNames,
  facts: Facts,
): Promise<PlaceholderValues> {
  const group = project.full_path.slice(0, -project.path.length - 1);
  const stored = {
    project_path: project.full_path,
    project_title: project.name,
    project_name: project.path,
    project_id: String(project.id),
    // GitLab's code gives the path of the project's own namespace record here, which is the project's path.
    project_namespace: project.full_path,
    ...(project.group_id !== null && { group_name: group }),
    gitlab_server: server,
    gitlab_pages_domain: pages,
  };
  const wish = { commit: hasPlaceholder(urls, 'commit_sha'), tag: hasPlaceholder(urls, 'latest_tag') };
  if (!wish.commit && !wish.tag && !hasPlaceholder(urls, 'default_branch')) return stored;
  return { ...stored, ...(await facts(project, wish)) };
}

/** The name of a group or project as people read it, with the groups above: `Acme / Web`. */
export function nameWithNamespace(groups: readonly Pick<Group, 'name'>[], name: string): string {
  return [...groups.map((group) => group.name), name].join(' / ');
}
