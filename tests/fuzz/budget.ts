/** Every day another seed, or KEEPSTATE_SEED, which repeats a run. */
export const SEED: number = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));

/** KEEPSTATE_FUZZ multiplies what is thrown at keepstate. */
export const FACTOR: number = Number(process.env.KEEPSTATE_FUZZ ?? 1);
if (!(FACTOR > 0))
  throw new Error(`KEEPSTATE_FUZZ must be a number above 0, not '${process.env.KEEPSTATE_FUZZ}'`);
