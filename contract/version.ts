import manifest from '../package.json' with { type: 'json' };

/** Version of this program: operator and proxies say it to each other. */
export const VERSION: string = manifest.version;
