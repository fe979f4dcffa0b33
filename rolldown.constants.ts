import type { Plugin } from 'rolldown';

/**
 * A rolldown plugin: every top-level function and class of a bundle becomes a `const`. V8 puts what a constant holds in
 * line without asking; what a declaration (or `var`) holds could be another function by now, so it asks at each call: a
 * twentieth of the time of a new connection's packets. Functions are no longer hoisted then: a bundle in which one is
 * called at load before its line does not load, which every test of the bundle would tell.
 */
export const constants: Plugin = {
  name: 'constants',
  renderChunk(code) {
    let inFunction = false;
    const lines = code.split('\n').map((line) => {
      const start = /^function (\w[\w$]*)\(/.exec(line);
      if (start !== null) {
        // Whole on one line, or to the brace at the start of a line.
        inFunction = !line.endsWith('}');
        return `const ${start[1]} = function(${line.slice(start[0].length)}${inFunction ? '' : ';'}`;
      }
      if (inFunction && line === '}') {
        inFunction = false;
        return '};';
      }
      return line.replace(/^var (\w[\w$]* = class\b)/, 'const $1');
    });
    return lines.join('\n');
  },
};
