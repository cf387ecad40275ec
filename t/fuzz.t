#!/bin/sh

# Copyright (C) the nginx gateway modules developers

# The committed corpus of each fuzz target, one test a target.

exec util/fuzz --replay
