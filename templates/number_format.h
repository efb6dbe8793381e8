// Numbers as .NET's invariant culture formats them: "N2", "D5", "#,##0.00" (arm-templates 5.4 format).
#pragma once
#include "templates/function.h"

// An integer or a float by the format; false when .NET would not have the format, or when the budget is used
// up (then the error is set).
bool number_format(struct call *call, const struct value *number, struct text format, struct buffer *out);
