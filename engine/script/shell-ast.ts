import type { Span } from '../base/error.ts';
import type { HereDocument } from './shell-token.ts';
import type { ShellWord } from './shell-word.ts';

/** Where a command's input comes from or its output goes to. */
export interface ShellRedirect {
  /** `<`, `>`, `2>`, `<<`, `<<<` … */
  readonly operator: string;
  readonly word: ShellWord | null;
  readonly here: HereDocument | null;
}

/** A command with its words, or a construct that holds others. */
export type ShellCommand =
  | {
      readonly kind: 'simple';
      readonly words: readonly ShellWord[];
      readonly redirects: readonly ShellRedirect[];
      readonly at: Span;
    }
  | {
      readonly kind: 'for';
      readonly name: string;
      /** Null for all arguments. */
      readonly words: readonly ShellWord[] | null;
      readonly body: ShellList;
      readonly redirects: readonly ShellRedirect[];
      readonly at: Span;
    }
  | {
      /** `for ((…;…;…))` */
      readonly kind: 'count';
      readonly head: string;
      readonly body: ShellList;
      readonly redirects: readonly ShellRedirect[];
      readonly at: Span;
    }
  | {
      readonly kind: 'if';
      readonly arms: readonly ShellArm[];
      readonly otherwise: ShellList | null;
      readonly redirects: readonly ShellRedirect[];
      readonly at: Span;
    }
  | {
      readonly kind: 'while';
      readonly isUntil: boolean;
      readonly test: ShellList;
      readonly body: ShellList;
      readonly redirects: readonly ShellRedirect[];
      readonly at: Span;
    }
  | {
      readonly kind: 'case';
      readonly word: ShellWord;
      readonly arms: readonly ShellChoice[];
      readonly redirects: readonly ShellRedirect[];
      readonly at: Span;
    }
  | {
      readonly kind: 'group';
      readonly isSubshell: boolean;
      readonly body: ShellList;
      readonly redirects: readonly ShellRedirect[];
      readonly at: Span;
    }
  | { readonly kind: 'function'; readonly name: string; readonly body: ShellCommand; readonly at: Span };

/** `if test; then body`. */
export interface ShellArm {
  readonly test: ShellList;
  readonly body: ShellList;
}

/** `pattern|pattern) body ;;`. */
export interface ShellChoice {
  readonly patterns: readonly ShellWord[];
  readonly body: ShellList;
  /** `;&` goes on with the next body, `;;&` with the next pattern that fits. */
  readonly end: string;
}

/** Commands with | between. */
export interface ShellPipeline {
  readonly negated: boolean;
  readonly commands: readonly ShellCommand[];
}

/** Pipelines with && or || between. */
export interface ShellAndOr {
  readonly first: ShellPipeline;
  readonly rest: readonly { readonly operator: '&&' | '||'; readonly pipeline: ShellPipeline }[];
}

/** What stands one after the other. */
export type ShellList = readonly ShellAndOr[];

/** A command that is nothing but words. */
export type SimpleCommand = Extract<ShellCommand, { kind: 'simple' }>;

/** A list of nothing but one command. */
export function listOf(command: ShellCommand): ShellList {
  return [{ first: { negated: false, commands: [command] }, rest: [] }];
}

/** All commands of a list, of all its pipelines. */
export function commandsOf(list: ShellList): ShellCommand[] {
  return list.flatMap((node) => [node.first, ...node.rest.map((r) => r.pipeline)].flatMap((p) => p.commands));
}

/** The lists that stand within a command, as they are written. */
export function listsIn(node: ShellCommand): ShellList[] {
  switch (node.kind) {
    case 'simple':
      return [];
    case 'function':
      return [listOf(node.body)];
    case 'if':
      return [...node.arms.flatMap((arm) => [arm.test, arm.body]), node.otherwise ?? []];
    case 'case':
      return node.arms.map((arm) => arm.body);
    case 'while':
      return [node.test, node.body];
    default:
      return [node.body];
  }
}
