// All ops: their headers, from the one list of them.
#pragma once

#define OP(Type)
#include "ops.inc"
