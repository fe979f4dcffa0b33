import { suggest } from '../base/suggest.ts';
import type { ExprNode } from './ast-expr.ts';

/** What a variable stands for. */
export interface Variable {
  readonly value: ExprNode;
  /** How many values that is, those of variables in it included. */
  readonly size: number;
}

/** What `define` made in a block, and in the blocks around it. */
export class Scope {
  readonly #parent: Scope | null;
  /** Null while there are none: most blocks make no variables. */
  #values: Map<string, Variable> | null = null;

  constructor(parent: Scope | null) {
    this.#parent = parent;
  }

  /** A variable, or undefined. */
  get(name: string): Variable | undefined {
    return this.#values?.get(name) ?? this.#parent?.get(name);
  }

  /** Makes a variable in this block. */
  set(name: string, variable: Variable): void {
    this.#values ??= new Map();
    this.#values.set(name, variable);
  }

  /** Ends a variable of this block. */
  remove(name: string): void {
    this.#values?.delete(name);
  }

  /** The variable most like a mistyped name. */
  nearest(name: string): string | undefined {
    return suggest(name, this.#names());
  }

  #names(): string[] {
    return [...(this.#values?.keys() ?? []), ...(this.#parent === null ? [] : this.#parent.#names())];
  }
}
