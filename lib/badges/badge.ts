import type { Execution, State } from '../builds/index.ts';
import { normalizeColor } from './color.ts';
import type { Logos } from './logo.ts';
import type { Presentation } from './presentation.ts';
import { cleanText } from './text.ts';

export const STYLES = ['flat', 'flat-square', 'plastic', 'for-the-badge', 'social'] as const;
export type Style = (typeof STYLES)[number];

/** What is drawn. Texts are clean, colours are such that badge-maker knows them, links are http(s). */
export interface Badge {
  readonly label: string;
  readonly message: string;
  readonly color: string;
  readonly labelColor?: string;
  readonly style: Style;
  /** A data URI. */
  readonly logo?: string;
  readonly links: readonly string[];
  /** Read out and shown on hovering instead of `label: message`. */
  readonly title?: string;
}

/** What a badge about a build needs to know of it. */
export interface Shown {
  readonly state: State;
  readonly execution?: Execution;
  /** The last known state of a backend that cannot be asked now. */
  readonly stale: boolean;
  readonly askedAt?: Date;
}

/** Colours of the six states and of the label. */
export interface Palette {
  readonly states: Readonly<Record<State, string>>;
  readonly label?: string;
}

/** `signalbox`: names of badge-maker, told apart by brightness too. `buildmaster`: the colours of BuildMaster's own badges. */
export const PALETTES = {
  signalbox: {
    states: {
      success: 'brightgreen',
      pending: 'steelblue',
      running: 'blue',
      warning: 'orange',
      error: 'red',
      unknown: 'lightgrey',
    },
  },
  buildmaster: {
    states: {
      success: '#499e8d',
      pending: '#48729d',
      running: '#48729d',
      warning: '#ee9d66',
      error: '#de5948',
      unknown: '#a6adb6',
    },
    label: '#282b3a',
  },
} as const satisfies Record<string, Palette>;
export type PaletteName = keyof typeof PALETTES;

/** The badge of a build. A colour of the asker's never covers an error or an unknown state. */
export function toBadge(shown: Shown, presentation: Presentation, logos: Logos): Badge {
  const palette: Palette = PALETTES[presentation.palette ?? 'signalbox'];
  const own = shown.state === 'error' || shown.state === 'unknown' ? undefined : presentation.color;
  const label = cleanText(presentation.label ?? 'build');
  const message = cleanText(messageOf(shown, presentation)) || shown.state;
  return withLook(
    {
      label,
      message,
      color: normalizeColor(own ?? '') ?? palette.states[shown.state],
      ...(shown.stale && { title: cleanText(`${label}: ${message}, last known ${sinceOf(shown)}`) }),
    },
    presentation,
    logos,
    palette.label,
  );
}

/** Adds style, label colour, logo and links to a badge's texts. */
export function withLook(
  badge: Pick<Badge, 'label' | 'message' | 'color' | 'title'>,
  { style = 'flat', labelColor, logo, logoColor, links = [] }: Presentation,
  logos: Logos,
  defaultLabelColor?: string,
): Badge {
  const normalLabelColor = normalizeColor(labelColor ?? '') ?? defaultLabelColor;
  const image = logo && logos(logo, { color: normalizeColor(logoColor ?? ''), style });
  return {
    ...badge,
    style,
    ...(normalLabelColor && { labelColor: normalLabelColor }),
    ...(image && { logo: image }),
    links,
  };
}

function messageOf({ state, execution }: Shown, { message }: Presentation): string {
  if (message === 'status') return execution?.status ?? state;
  if (message === 'build' && execution?.build) {
    return `${state} ${/^\d+$/.test(execution.build) ? '#' : ''}${execution.build}`;
  }
  return state;
}

function sinceOf({ askedAt }: Shown): string {
  return askedAt ? `at ${askedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC` : 'some time ago';
}
