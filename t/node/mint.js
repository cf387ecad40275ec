
// Copyright (C) the nginx gateway modules developers

// Keys and tokens of the package "jose".  Standard input is an array of steps,
// standard output an array of as many answers:
//
//     { op: 'key', name, alg, crv, jwk: { members to add } }
//                                         { jwk, pem }, the public ones; for HS*
//                                         jwk is the secret; a later step
//                                         knows the key by its name
//     { op: 'sign', key, header, claims, exp, nbf, iat }
//                                         { token }; the times as jose takes
//                                         them: "1h", "-10s", a number
//     { op: 'raw', key, header, payload } { token } of any text
//     { op: 'verify', token, jwk, alg }   { header, payload }, or { error }

import { load } from './packages.js';

const jose = await load('jose');
const keys = {};


async function key(step) {
    const hmac = step.alg.startsWith('HS');
    const options = { extractable: true };

    if (step.crv) {
        options.crv = step.crv;
    }

    const made = hmac ? await jose.generateSecret(step.alg, options)
                      : await jose.generateKeyPair(step.alg, options);

    keys[step.name] = hmac ? made : made.privateKey;

    const jwk = await jose.exportJWK(hmac ? made : made.publicKey);
    const pem = hmac ? null : await jose.exportSPKI(made.publicKey);

    return { jwk: { ...jwk, ...step.jwk }, pem };
}


async function sign(step) {
    const jwt = new jose.SignJWT(step.claims || {});

    jwt.setProtectedHeader(step.header);

    if (step.iat !== undefined) {
        jwt.setIssuedAt(step.iat);
    }

    if (step.nbf !== undefined) {
        jwt.setNotBefore(step.nbf);
    }

    if (step.exp !== undefined) {
        jwt.setExpirationTime(step.exp);
    }

    return { token: await jwt.sign(keys[step.key]) };
}


async function raw(step) {
    const jws = new jose.CompactSign(Buffer.from(step.payload));

    jws.setProtectedHeader(step.header);

    return { token: await jws.sign(keys[step.key]) };
}


async function verify(step) {
    try {
        const got = await jose.jwtVerify(step.token,
                                         await jose.importJWK(step.jwk,
                                                              step.alg),
                                         { algorithms: [step.alg] });

        return { header: got.protectedHeader, payload: got.payload };

    } catch (e) {
        return { error: e.code || String(e) };
    }
}


const ops = { key, sign, raw, verify };
const chunks = [];
const answers = [];

for await (const chunk of process.stdin) {
    chunks.push(chunk);
}

for (const step of JSON.parse(Buffer.concat(chunks))) {
    answers.push(await ops[step.op](step));
}

process.stdout.write(JSON.stringify(answers));
