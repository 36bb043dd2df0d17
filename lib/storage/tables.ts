import type { Generated } from 'kysely';

/** Instants are milliseconds since 1970; lists and objects are JSON texts. */
export interface Tables {
  readonly keys: KeyRow;
  readonly builds: BuildRow;
  readonly changes: ChangeRow;
  readonly groups: GroupRow;
  readonly projects: ProjectRow;
  readonly badges: BadgeRow;
}

export interface KeyRow {
  readonly name: string;
  /** SHA-256 of the key, hexadecimal. */
  readonly digest: string;
  readonly scopes: string;
  readonly sources: string | null;
  readonly applications: string | null;
  readonly expires_at: number | null;
  readonly created_at: number;
}

/** A build that was reported to the push source. */
export interface BuildRow {
  readonly id: Generated<number>;
  /** In lower case: applications are found without regard to case. */
  readonly application_key: string;
  readonly application: string;
  readonly build: string;
  readonly release_key: string;
  readonly state: string;
  readonly status: string | null;
  readonly release: string | null;
  readonly branch: string | null;
  readonly commit: string | null;
  readonly tag: string | null;
  readonly variables: string | null;
  readonly pages: string | null;
  readonly started_at: number | null;
  readonly finished_at: number | null;
}

/** Counts up with every change of a topic, so that other processes hear of it. */
export interface ChangeRow {
  readonly topic: string;
  readonly version: number;
  readonly changed_at: number;
}

export interface GroupRow {
  readonly id: Generated<number>;
  readonly parent_id: number | null;
  readonly name: string;
  readonly path: string;
  readonly full_path: string;
  /** In lower case: paths are found without regard to case. */
  readonly full_path_key: string;
  readonly description: string | null;
  readonly visibility: string;
  readonly created_at: number;
}

export interface ProjectRow {
  readonly id: Generated<number>;
  /** Absent for a project in the namespace of a user. */
  readonly group_id: number | null;
  readonly name: string;
  readonly path: string;
  readonly full_path: string;
  readonly full_path_key: string;
  readonly description: string | null;
  readonly visibility: string;
  readonly default_branch: string | null;
  readonly commit_sha: string | null;
  readonly latest_tag: string | null;
  readonly source: string | null;
  readonly source_project: string | null;
  readonly created_at: number;
}

/** A badge definition: of a project or of a group. */
export interface BadgeRow {
  readonly id: Generated<number>;
  readonly project_id: number | null;
  readonly group_id: number | null;
  readonly name: string | null;
  readonly link_url: string;
  readonly image_url: string;
  readonly created_at: number;
  readonly updated_at: number;
}
