import type { JumpTarget, VerdictNode } from './ast-expr.ts';
import { T_WORD } from './lex.ts';
import type { Cursor } from './parse-cursor.ts';
import { variable } from './parse-expr.ts';

/** Words that are verdicts by themselves. */
const PLAIN = ['accept', 'drop', 'continue', 'return'] as const;
const WORDS: ReadonlySet<string> = new Set([...PLAIN, 'jump', 'goto']);

/** True if a verdict comes next. */
export function isVerdict(p: Cursor): boolean {
  return p.token.kind === T_WORD && WORDS.has(p.token.text);
}

/** A chain's name, as a word or a variable. */
function target(p: Cursor): JumpTarget {
  if (!p.is('$')) {
    const token = p.name('the name of a chain');
    return { target: token.text, targetAt: token.at };
  }
  const at = p.at;
  const value = variable(p);
  if (!('symbol' in value)) {
    p.fail('this variable is not the name of a chain', p.since(at));
  }
  return { target: value.symbol, targetAt: value.at };
}

/**
 * `accept`, `jump chain`, ….
 * @param mayHaveRules whether rules in braces may stand in the chain's place
 */
export function verdict(p: Cursor, mayHaveRules: boolean): VerdictNode {
  const start = p.at;
  const word = p.oneOf([...PLAIN, 'jump', 'goto'], 'a verdict');
  if (word !== 'jump' && word !== 'goto') {
    // One object each, so that the naming key is a literal.
    const at = p.since(start);
    switch (word) {
      case 'accept':
        return { accept: null, at };
      case 'drop':
        return { drop: null, at };
      case 'continue':
        return { continue: null, at };
      default:
        return { return: null, at };
    }
  }
  const to: JumpTarget = mayHaveRules && p.is('{') ? { target: '', rules: block(p) } : target(p);
  const at = p.since(start);
  return word === 'jump' ? { jump: to, at } : { goto: to, at };
}

function block(p: Cursor): NonNullable<JumpTarget['rules']> {
  return p.nested(() => {
    p.expect('{');
    const rules = p.grammar.rules(p);
    p.expect('}');
    return rules;
  });
}
