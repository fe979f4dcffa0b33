import type { Plugin } from 'rolldown';

/**
 * A rolldown plugin: `await import('./x.ts')`, of a file or package of ours, becomes an import at the top of its file. Put in line as it is, a module
 * that may be loaded later is wrapped into a function that fills `var`s, and so are all that it shares with others: V8
 * then knows no constant of theirs (rolldown.config.ts).
 * @param but modules that stay for later
 */
export function eager(but: RegExp | null): Plugin {
  return {
    name: 'eager',
    transform(code) {
      const imports: string[] = [];
      const eagerly = code.replace(
        /\bawait import\(('(?:\.|@keepstate\/)[^']+')\)/g,
        (whole, path: string) => {
          if (but?.test(path)) return whole;
          imports.push(`import * as eager${imports.length} from ${path};`);
          return `eager${imports.length - 1}`;
        },
      );
      return imports.length === 0 ? null : { code: `${imports.join('\n')}\n${eagerly}`, map: null };
    },
  };
}
