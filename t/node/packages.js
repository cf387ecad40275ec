
// Copyright (C) the nginx gateway modules developers

// The packages that util/node has installed; they are not below this file,
// where import would look for them.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.GW_NODE + '/package.json');


export function load(name) {
    return import(pathToFileURL(require.resolve(name)));
}
