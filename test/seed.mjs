/**
 * Property tests draw from one seed, so that a run that passed passes again; SEED=n draws others, SEED=random any.
 * A failure prints the seed and the path to it.
 */
import fc from 'fast-check';

const { SEED = '1' } = process.env;
if (SEED !== 'random') fc.configureGlobal({ seed: Number(SEED) });
