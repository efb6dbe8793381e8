// What the parts of evaluation know of one another.
#pragma once
#include "templates/function.h"

// Names that an expression can see besides those of the template: a lambda's variables, or the parameters of
// the user function whose body is evaluated.
struct evaluation_frame {
    const struct evaluation_frame *outer;
    bool function; // of a user function: nothing further out is seen
    const struct text *names;
    const struct value *const *values;
    size_t count;
};

// user_functions.c: a call by name that no function of the language has.
const struct value *user_function_call(struct call *call);
// What says whether that name exists and takes so many arguments; no evaluation. False and the error.
bool user_function_check(struct call *call);
// evaluate_call.c: whether the function exists, is legal here and takes so many arguments.
bool call_check(struct call *call);
struct call call_of(struct evaluation *e, const struct expression *node, struct expression_error *error);
// "Unable to evaluate template language function 'f': function requires 2 argument(s) while 1 were provided."
const struct value *call_fail_count(struct call *call, size_t least, size_t most);
