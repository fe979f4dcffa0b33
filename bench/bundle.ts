import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { constants } from '../rolldown.constants.ts';

const ROOT: string = fileURLToPath(new URL('..', import.meta.url));

/**
 * Makes one file that plain Node runs, as the build does (rolldown.config.ts), so that no loader is measured.
 * @param folder where to put it
 * @param entry path of the source, from the root of the project
 * @param name of the file
 * @returns its path
 */
export async function bundle(folder: string, entry: string, name: string): Promise<string> {
  const file = join(folder, name);
  await build({
    input: join(ROOT, entry),
    platform: 'node',
    resolve: { conditionNames: ['keepstate-source'] },
    plugins: [constants],
    // As the command line is shipped that has neither rules nor live traffic (rolldown.config.ts).
    external: [/with-rules/, /with-live|@keepstate\/live/, 'koffi', 'ink', 'react'],
    output: { file, format: 'esm' },
    logLevel: 'warn',
  });
  return file;
}
