import type { Plugin } from 'rolldown';

/**
 * A rolldown plugin: every top-level function and class of a bundle becomes a `const`. V8 puts what a constant holds in
 * line without asking; what a declaration (or `var`) holds could be another function by now, so it asks at each call: a
 * twentieth of the time of a new connection's packets. Functions go to the top of the bundle, where hoisting would have
 * put them: tables are filled with them long before their own lines.
 */
export const constants: Plugin = {
  name: 'constants',
  renderChunk(code) {
    const functions: string[] = [];
    const rest: string[] = [];
    let inFunction = false;
    for (const line of code.split('\n')) {
      const start = /^function (\w[\w$]*)\(/.exec(line);
      if (start !== null) {
        // Whole on one line, or to the brace at the start of a line.
        inFunction = !line.endsWith('}');
        const tail = line.slice(start[0].length);
        functions.push(`const ${start[1]} = function(${tail}${inFunction ? '' : ';'}`);
      } else if (inFunction) {
        inFunction = line !== '}';
        functions.push(inFunction ? line : '};');
      } else rest.push(line.replace(/^var (\w[\w$]* = class\b)/, 'const $1'));
    }
    return [...functions, ...rest].join('\n');
  },
};
