// What a query needs of its source, found out before it runs.
#pragma once
#include "arm/graph.h"

// Fills live, whole, plain and limit of a query whose stages are read.
void graph_plan(struct graph_query *query);
