
// Copyright (C) the nginx gateway modules developers

// An identity provider, the package "oidc-provider", on a loopback port, and
// a second port where a test tells it what to do:
//
//     node provider.js [ALG ...]
//
// prints "PORT CONTROL" when both listen, and ends when its standard input
// does.  The client "machine" with the secret "of-the-machine" gets access
// tokens by its credentials: the resource https://api.example/NAME/ALG makes
// https://api.example/NAME the audience, and ALG signs.  Keys are "KID-ALG".
//
// POST to the control port; each answers with the state, as JSON:
//
//     /state      nothing changes
//     /publish    a new key of each algorithm is in the set, unused yet
//     /use        the newest keys sign
//     /replace    the keys that sign are other ones with the same kid
//     /remove     only the keys that sign stay in the set
//     /make/N     N more generations of keys are made in advance
//     /jwks/MODE  the set is answered: ok, error (500), empty, html, cut,
//                 slow (after 3 s), hang (never)
//     /down  /up  nobody listens on the first port; somebody does again
//
// A provider cannot change its keys: a rotation makes another one with the
// same issuer, as restarting a real one does.

import { generateKeyPair as generate } from 'node:crypto';
import http from 'node:http';
import { promisify } from 'node:util';

import { load } from './packages.js';

const Provider = (await load('oidc-provider')).default;

const make = promisify(generate);
const algs = process.argv.slice(2);

const types = {
    RS: ['rsa', { modulusLength: 2048 }],
    PS: ['rsa', { modulusLength: 2048 }],
    ES256: ['ec', { namedCurve: 'P-256' }],
    ES384: ['ec', { namedCurve: 'P-384' }],
    ES512: ['ec', { namedCurve: 'P-521' }],
    ES256K: ['ec', { namedCurve: 'secp256k1' }],
    EdDSA: ['ed25519', {}],
};

let sets = [];          // generations of keys, the one that signs first
let spare = [];
let generation = 0;
let provider;
let mode = 'ok';
let fetches = 0;
let headers = {};
let times = [];


async function generation_of_keys() {
    const keys = {};
    let rsa;

    for (const alg of algs) {
        const [type, options] = types[alg] || types[alg.slice(0, 2)];
        let pair;

        // these take long; a name and "alg" make two of one
        if (type === 'rsa') {
            pair = rsa || await make(type, options);
            rsa = pair;

        } else {
            pair = await make(type, options);
        }

        keys[alg] = { ...pair.privateKey.export({ format: 'jwk' }), alg,
                      use: 'sig' };
    }

    return keys;
}


async function new_keys(name) {
    const keys = spare.shift() || await generation_of_keys();

    for (const alg of algs) {
        keys[alg].kid = `${name}-${alg}`;
    }

    return keys;
}


function restart() {
    provider = new Provider(issuer, {
        jwks: { keys: sets.flatMap((keys) => Object.values(keys)) },
        cookies: { keys: ['of this test'] },
        scopes: ['read', 'write'],
        clients: [{
            client_id: 'machine', client_secret: 'of-the-machine',
            grant_types: ['client_credentials'], redirect_uris: [],
            response_types: [], id_token_signed_response_alg: algs[0],
        }],
        enabledJWA: { idTokenSigningAlgValues: algs },
        features: {
            devInteractions: { enabled: false },
            clientCredentials: { enabled: true },
            resourceIndicators: {
                enabled: true,
                getResourceServerInfo(ctx, resource) {
                    const [, audience, alg] = resource.match(/^(.*)\/(\w+)$/);

                    return { scope: 'read write', audience,
                             accessTokenTTL: 3600, accessTokenFormat: 'jwt',
                             jwt: { sign: { alg,
                                            kid: sets[0][alg].kid } } };
                },
            },
        },
    });
}


const main = http.createServer((req, res) => {
    const handler = provider.callback();

    if (req.url !== '/jwks') {
        handler(req, res);
        return;
    }

    fetches++;
    headers = req.headers;
    times.push(Date.now());

    switch (mode) {

    case 'ok':
        handler(req, res);
        break;

    case 'slow':
        setTimeout(() => handler(req, res), 3000);
        break;

    case 'hang':
        break;

    case 'error':
        res.writeHead(500).end('{"error":"server_error"}');
        break;

    case 'empty':
        res.writeHead(200, { 'Content-Type': 'application/json' })
           .end('{"keys":[]}');
        break;

    case 'html':
        res.writeHead(200, { 'Content-Type': 'text/html' })
           .end('<html>Sign in</html>');
        break;

    case 'cut':
        res.writeHead(200, { 'Content-Type': 'application/json' })
           .end('{"keys":[{"kty":"EC","crv":"P-256"');
        break;
    }
});


function listen(server, port) {
    return new Promise((resolve) => {
        server.listen(port, '127.0.0.1', resolve);
    });
}


const actions = {
    state() {},

    async publish() {
        sets.push(await new_keys(`k${++generation}`));
        restart();
    },

    use() {
        sets.unshift(sets.pop());
        restart();
    },

    async replace() {
        const kid = Object.values(sets[0])[0].kid.split('-')[0];

        sets[0] = await new_keys(kid);
        restart();
    },

    remove() {
        sets = [sets[0]];
        restart();
    },

    async make(n) {
        for (let i = 0; i < n; i++) {
            spare.push(await generation_of_keys());
        }
    },

    jwks(value) {
        mode = value;
    },

    down() {
        return new Promise((resolve) => {
            main.close(resolve);
            main.closeAllConnections();
        });
    },

    async up() {
        await listen(main, port);
    },
};


const control = http.createServer(async (req, res) => {
    const [, action, value] = req.url.split('/');

    try {
        await actions[action](value);

        res.end(JSON.stringify({
            issuer, fetches, headers, times,
            kids: sets.flatMap((keys) => Object.values(keys))
                      .map((jwk) => jwk.kid),
        }));

    } catch (e) {
        res.writeHead(500).end(String(e.stack));
    }
});


sets.push(await new_keys('k0'));

await listen(main, 0);
await listen(control, 0);

const port = main.address().port;
const issuer = `http://127.0.0.1:${port}`;

restart();

console.log(`${port} ${control.address().port}`);

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
