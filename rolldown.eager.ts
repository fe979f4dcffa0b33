import type { Plugin } from 'rolldown';

/**
 * A rolldown plugin: `await import('./x.ts')` becomes an import at the top of its file. Put in line as it is, a module
 * that may be loaded later is wrapped into a function that fills `var`s, and so are all that it shares with others: V8
 * then knows no constant of theirs (rolldown.config.ts).
 */
export const eager: Plugin = {
  name: 'eager',
  transform(code) {
    const imports: string[] = [];
    const eagerly = code.replace(/\bawait import\(('\.[^']+')\)/g, (_, path: string) => {
      imports.push(`import * as eager${imports.length} from ${path};`);
      return `eager${imports.length - 1}`;
    });
    return imports.length === 0 ? null : { code: `${imports.join('\n')}\n${eagerly}`, map: null };
  },
};
