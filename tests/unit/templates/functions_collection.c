// Functions of arrays and objects, comparison and logic, case by case (arm-templates 5.1, 5.2).
#include "templates/language.h"

Suite *suite_functions_collection(void);

#define COUNT(f, n, m)                                                                                       \
    "!Unable to evaluate template language function '" f "': function requires " n " argument(s) while " m   \
    " were provided. Please see https://aka.ms/arm-resource-functions/#" f " for usage details."
#define WANTS(f, what, type)                                                                                 \
    "!The template language function '" f "' expects its " what ". The provided value is of type '" type "'" \
    "."

static const struct language_case arrays[] = {
    {"arm-templates 5.1 array", "[array(createArray(1))]", "[1]"},
    {"arm-templates 5.1 array", "[array('a')]", "[\"a\"]"},
    {"arm-templates 5.1 array", "[array(createObject('a', 1))]", "[{\"a\":1}]"},
    {"arm-templates 5.1 concat", "[concat('a', 1, true(), null(), 'b')]", "\"a1Trueb\""},
    {"arm-templates 5.1 concat", "[concat('a')]", "\"a\""},
    {"arm-templates 5.1 concat arrays", "[concat(createArray(1), createArray(), createArray('a', 2))]",
     "[1,\"a\",2]"},
    {"arm-templates 5.1 concat none", "[concat()]",
     "!Unable to evaluate template language function 'concat'. At least one parameter should be provided."},
    {"arm-templates 5.1 concat mixed", "[concat('a', createArray())]",
     "!The provided parameters for language function 'concat' are invalid. Either all or none of the "
     "parameters must be "
     "an array."},
    {"arm-templates 5.1 concat object", "[concat('a', createObject())]",
     "!The provided parameters for language function 'concat' are invalid. A parameter of type 'Object' "
     "cannot be "
     "concatenated."},
    {"arm-templates 5.1 contains string", "[contains('OneTwo', 'Two')]", "true"},
    {"arm-templates 5.1 contains string, case", "[contains('OneTwo', 'two')]", "false"},
    {"arm-templates 5.1 contains string, integer", "[contains('a12', 12)]", "true"},
    {"arm-templates 5.1 contains string, empty", "[contains('a', '')]", "true"},
    {"arm-templates 5.1 contains array", "[contains(createArray(1, 'a'), 'a')]", "true"},
    {"arm-templates 5.1 contains array, types", "[contains(createArray('1'), 1)]", "false"},
    {"arm-templates 5.1 contains array, deep", "[contains(createArray(createArray(1)), createArray(1))]",
     "true"},
    {"arm-templates 5.1 contains object", "[contains(parameters('object'), 'b')]", "true"},
    {"arm-templates 5.1 contains object", "[contains(parameters('object'), 'x')]", "false"},
    {"arm-templates 5.1 contains other", "[contains(1, 'x')]",
     WANTS("contains", "first parameter to be an array, a string or an object", "Integer")},
    {"arm-templates 5.1 createArray", "[createArray()]", "[]"},
    {"arm-templates 5.1 createArray", "[createArray(1, 'a', createArray())]", "[1,\"a\",[]]"},
    {"arm-templates 5.1 createObject", "[createObject()]", "{}"},
    {"arm-templates 5.1 createObject", "[createObject('a', null(), 'B', createArray(1))]",
     "{\"a\":null,\"B\":[1]}"},
    {"arm-templates 5.1 createObject odd", "[createObject('a')]",
     "!Unable to evaluate template language function 'createObject': function requires an even number of "
     "arguments: keys "
     "and values in turn."},
    {"arm-templates 5.1 createObject key", "[createObject('a', 1, 2, 3)]",
     "!Unable to evaluate template language function 'createObject': the key at index '2' must be of type "
     "'String', but "
     "it is of type 'Integer'."},
    {"arm-templates 5.1 createObject twice", "[createObject('a', 1, 'A', 3)]",
     "!Unable to evaluate template language function 'createObject': the key 'A' is provided more than "
     "once."},
    {"arm-templates 5.1 distinct",
     "[distinct(createArray(1, 'a', 1, json('1.0'), createArray(1), createArray(1), 'A'))]",
     "[1,\"a\",[1],\"A\"]"},
    {"arm-templates 5.1 distinct", "[distinct(createArray())]", "[]"},
    {"arm-templates 5.1 distinct other", "[distinct('a')]",
     WANTS("distinct", "parameter to be an array", "String")},
    {"arm-templates 5.1 empty",
     "[createArray(empty(''), empty('a'), empty(createArray()), empty(createArray(1)))]",
     "[true,false,true,false]"},
    {"arm-templates 5.1 empty",
     "[createArray(empty(null()), empty(createObject()), empty(parameters('object')))]", "[true,true,false]"},
    {"arm-templates 5.1 empty other", "[empty(1)]",
     "!The template function 'empty' expects its parameter to be an object, an array, or a string. The "
     "provided value is "
     "of type 'Integer'."},
    {"arm-templates 5.1 empty other", "[empty(true())]",
     "!The template function 'empty' expects its parameter to be an object, an array, or a string. The "
     "provided value is "
     "of type 'Boolean'."},
    {"arm-templates 5.1 first",
     "[createArray(first('abc'), first(''), first(createArray(1, 2)), first(createArray()))]",
     "[\"a\",\"\",1,null]"},
    {"arm-templates 5.1 last",
     "[createArray(last('abc'), last(''), last(createArray(1, 2)), last(createArray()))]",
     "[\"c\",\"\",2,null]"},
    {"arm-templates 5.1 first other", "[first(1)]",
     WANTS("first", "parameter be an array or a string", "Integer")},
    {"arm-templates 5.1 last other", "[last(null())]",
     WANTS("last", "parameter be an array or a string", "Null")},
    {"arm-templates 5.1 flatten",
     "[flatten(createArray(createArray(1), createArray(), createArray(createArray(2))))]", "[1,[2]]"},
    {"arm-templates 5.1 flatten element", "[flatten(createArray(createArray(), 'a'))]",
     "!The template language function 'flatten' expects each element of its parameter to be an array. The "
     "element at "
     "index '1' is of type 'String'."},
    {"arm-templates 5.1 flatten other", "[flatten('a')]",
     WANTS("flatten", "parameter to be an array of arrays", "String")},
    {"arm-templates 5.1 indexFromEnd",
     "[createArray(indexFromEnd(parameters('list'), 1), indexFromEnd(parameters('list'), 3))]", "[3,1]"},
    {"arm-templates 5.1 indexFromEnd", "[indexFromEnd(parameters('list'), 4)]",
     "!The language expression property array index '4' is out of bounds."},
    {"arm-templates 5.1 indexFromEnd", "[indexFromEnd(parameters('list'), 0)]",
     "!The language expression property array index '0' is out of bounds."},
    {"arm-templates 5.1 tryIndexFromEnd",
     "[createArray(tryIndexFromEnd(parameters('list'), 2), tryIndexFromEnd(parameters('list'), 4), "
     "tryIndexFromEnd('a', 1))]",
     "[2,null,null]"},
    {"arm-templates 5.1 range", "[range(5, 3)]", "[5,6,7]"},
    {"arm-templates 5.1 range", "[range(-1, 0)]", "[]"},
    {"arm-templates 5.1 range", "[length(range(0, 10000))]", "10000"},
    {"arm-templates 5.1 range", "[range(2147483647, 0)]", "[]"},
    {"arm-templates 5.1 range count", "[range(0, 10001)]",
     "!Unable to evaluate template language function 'range': the second parameter is invalid. The count "
     "must be a "
     "non-negative integer value and not greater than '10000', while '10001' was provided."},
    {"arm-templates 5.1 range negative", "[range(0, -1)]",
     "!Unable to evaluate template language function 'range': the second parameter is invalid. The count "
     "must be a "
     "non-negative integer value and not greater than '10000', while '-1' was provided."},
    {"arm-templates 5.1 range end", "[range(2147483647, 1)]",
     "!Unable to evaluate template language function 'range': the sum of the parameters cannot be greater "
     "than "
     "'2147483647', while '2147483647' and '1' were provided."},
    {"arm-templates 5.1 range type", "[range('a', 1)]",
     WANTS("range", "first parameter 'startIndex' to be an integer", "String")},
    {"arm-templates 5.1 skip",
     "[createArray(skip('abcd', 1), skip(parameters('list'), 2), skip('ab', 9), skip('ab', -1))]",
     "[\"bcd\",[3],\"\",\"ab\"]"},
    {"arm-templates 5.1 take",
     "[createArray(take('abcd', 1), take(parameters('list'), 2), take('ab', 9), take('ab', -1))]",
     "[\"a\",[1,2],\"ab\",\"\"]"},
    {"arm-templates 5.1 skip first", "[skip(1, 1)]",
     WANTS("skip", "first parameter 'collection' to be an array or a string", "Integer")},
    {"arm-templates 5.1 take second", "[take('a', '1')]",
     WANTS("take", "second parameter 'count' to be an integer", "String")},
    {"arm-templates 5.1 skip count", "[skip()]",
     "!The template language function 'skip' expects exactly two parameters: the collection to skip the "
     "objects from as "
     "the first parameter and the count of objects to skip as the second parameter. The function was invoked "
     "with '0' "
     "parameter(s)."},
    {"arm-templates 5.1 length",
     "[createArray(length('abc'), length(createArray(1)), length(parameters('object')))]", "[3,1,2]"},
    {"arm-templates 5.1 length in UTF-16", "[length('\xc3\xa9\xf0\x9f\x98\x80')]", "3"},
    {"arm-templates 5.1 length other", "[length(1)]",
     WANTS("length", "parameter to be an array, object, or a string", "Integer")},
    {"arm-templates 5.1 length count", "[length()]",
     "!The template language function 'length' expects exactly one parameter: an array, object, or a string "
     "the length "
     "of which is returned. The function was invoked with '0' parameters."},
    {"arm-templates 5.1 first in UTF-16",
     "[createArray(first('\xf0\x9f\x98\x80'), last('\xf0\x9f\x98\x80'))]",
     "[\"\xef\xbf\xbd\",\"\xef\xbf\xbd\"]"},
    {"arm-templates 5.1 max", "[createArray(max(1, 5, -2), max(createArray(3, 4)), max(7))]", "[5,4,7]"},
    {"arm-templates 5.1 min", "[createArray(min(1, 5, -2), min(createArray(3, 4)))]", "[-2,3]"},
    {"arm-templates 5.1 max other", "[max(1, 'a')]",
     WANTS("max", "parameters to be integers or an array of integers", "String")},
    {"arm-templates 5.1 min of none", "[min(createArray())]",
     "!The template language function 'min' expects at least one integer."},
};

static const struct language_case objects[] = {
    {"arm-templates 5.1 intersection", "[intersection(createArray(3, 1, 2, 1), createArray(1, 2, 9))]",
     "[1,2]"},
    {"arm-templates 5.1 intersection", "[intersection(createArray('a'), createArray('A'))]", "[]"},
    {"arm-templates 5.1 intersection of three", "[intersection(range(0, 9), range(3, 9), range(5, 2))]",
     "[5,6]"},
    {"arm-templates 5.1 intersection of objects",
     "[intersection(createObject('a', 1, 'b', 2), createObject('B', 2, 'a', 3))]", "{\"b\":2}"},
    {"arm-templates 5.1 intersection of others", "[intersection('a', 'b')]",
     "!The template language function 'intersection' expects either a comma separated list of arrays or a "
     "comma separated "
     "list of objects as its parameters."},
    {"arm-templates 5.1 intersection of both", "[intersection(createArray(), createObject())]",
     "!Template language function 'intersection' expects parameters of the same type, but found multiple "
     "types."},
    {"arm-templates 5.1 intersection count", "[intersection(createArray())]",
     "!Unable to evaluate template language function 'intersection'. At least two parameter should be "
     "provided."},
    {"arm-templates 5.1 union", "[union(createArray(1, 2, 1), createArray(2, 3))]", "[1,2,3]"},
    {"arm-templates 5.1 union of objects",
     "[union(json('{\"a\":{\"x\":1,\"y\":[1,2]},\"b\":1}'), json('{\"a\":{\"y\":[3],\"z\":2},\"c\":3}'))]",
     "{\"a\":{\"x\":1,\"y\":[3],\"z\":2},\"b\":1,\"c\":3}"},
    {"arm-templates 5.1 union, later wins",
     "[union(createObject('a', 1), createObject('a', createArray()), createObject('A', 2))]", "{\"a\":2}"},
    {"arm-templates 5.1 union of others", "[union(1, 2)]",
     "!The template language function 'union' expects either a comma separated list of arrays or a comma "
     "separated list of "
     "objects as its parameters."},
    {"arm-templates 5.1 union of both", "[union(createObject(), createArray())]",
     "!Template language function 'union' expects parameters of the same type, but found multiple types."},
    {"arm-templates 5.1 shallowMerge",
     "[shallowMerge(createArray(json('{\"a\":{\"x\":1}}'), json('{\"a\":{\"y\":2},\"b\":3}')))]",
     "{\"a\":{\"y\":2},\"b\":3}"},
    {"arm-templates 5.1 shallowMerge other", "[shallowMerge(createArray(1))]",
     WANTS("shallowMerge", "parameter to be an array of objects", "Integer")},
    {"arm-templates 5.1 items",
     "[map(items(json('{\"ghiKey\":1,\"defKey\":2,\"abcKey\":3,\"123Key\":4,\"GHIKey\":5,\"DEFKey\":6,"
     "\"ABCKey\":7,"
     "\"456Key\":8}')), lambda('i', lambdaVariables('i').key))]",
     "[\"123Key\",\"456Key\",\"abcKey\",\"ABCKey\",\"defKey\",\"DEFKey\",\"ghiKey\",\"GHIKey\"]"},
    {"arm-templates 5.1 items", "[items(createObject('b', 1, 'a', null()))]",
     "[{\"key\":\"a\",\"value\":null},{\"key\":\"b\",\"value\":1}]"},
    {"arm-templates 5.1 items other", "[items('a')]", WANTS("items", "parameter to be an object", "String")},
    {"arm-templates 5.1 objectKeys", "[objectKeys(createObject('b', 1, 'A', 2, 'c', 3))]",
     "[\"A\",\"b\",\"c\"]"},
    {"arm-templates 5.1 json", "[json('{a:1,''b'':[1.0,true,null,],/*x*/}').b]", "[1.0,true,null]"},
    {"arm-templates 5.1 json", "[json('null')]", "null"},
    {"arm-templates 5.1 null", "[null()]", "null"},
    {"arm-templates 5.1 json other", "[json(1)]",
     "!The template language function 'json' expects its parameter to be of type 'String'. The provided "
     "value is of type "
     "'Integer'."},
    {"arm-templates 5.1 tryGet", "[tryGet(parameters('object'), 'b', 'C')]", "\"deep\""},
    {"arm-templates 5.1 tryGet", "[tryGet(parameters('list'), 1)]", "2"},
    {"arm-templates 5.1 tryGet", "[tryGet(parameters('list'), 9)]", "null"},
    {"arm-templates 5.1 tryGet", "[tryGet(null(), 'a')]", "null"},
    {"arm-templates 5.1 tryGet", "[tryGet('text', 'a')]", "null"},
    {"arm-templates 5.1 tryGet from the end",
     "[tryGet(parameters('list'), createObject('fromEnd', true(), 'value', 2))]", "2"},
    {"arm-templates 5.1 tryGet from the end",
     "[tryGet(parameters('list'), createObject('fromEnd', true(), 'value', 4))]", "null"},
    {"arm-templates 5.1 tryGet count", "[tryGet(1)]",
     "!Unable to evaluate template language function 'tryGet': function requires at least 2 argument(s) "
     "while 1 were "
     "provided. Please see https://aka.ms/arm-resource-functions/#tryGet for usage details."},
};

static const struct language_case logic[] = {
    {"arm-templates 5.2 coalesce", "[coalesce(null(), parameters('nothing'))]", "null"},
    {"arm-templates 5.2 coalesce", "[coalesce(null(), '', 'a')]", "\"\""},
    {"arm-templates 5.2 coalesce", "[coalesce(createArray(), 1)]", "[]"},
    {"arm-templates 5.2 less", "[createArray(less(1, 2), less(2, 2), less('a', 'b'), less('b', 'a'))]",
     "[true,false,true,false]"},
    {"arm-templates 5.2 lessOrEquals",
     "[createArray(lessOrEquals(2, 2), lessOrEquals(3, 2), lessOrEquals('a', 'a'))]", "[true,false,true]"},
    {"arm-templates 5.2 greater", "[createArray(greater(3, 2), greater(2, 2), greater('b', 'a'))]",
     "[true,false,true]"},
    {"arm-templates 5.2 greaterOrEquals",
     "[createArray(greaterOrEquals(2, 2), greaterOrEquals(1, 2), greaterOrEquals('ab', 'a'))]",
     "[true,false,true]"},
    {"arm-templates 5.2 less of both", "[less(1, 'a')]",
     "!The template language function 'less' expects two parameters of matching types. The function was "
     "invoked with "
     "values of type 'Integer' and 'String' that do not match."},
    {"arm-templates 5.2 less of others", "[less(true(), false())]",
     WANTS("less", "parameters to be of type 'Integer' or 'String'", "Boolean")},
    {"arm-templates 5.2 and", "[createArray(and(true(), true(), true()), and(true(), false()))]",
     "[true,false]"},
    {"arm-templates 5.2 or", "[createArray(or(false(), false()), or(false(), true()))]", "[false,true]"},
    {"arm-templates 5.2 and type", "[and(true(), 'true')]",
     WANTS("and", "parameters to be of type 'Boolean'", "String")},
    {"arm-templates 5.2 or type", "[or(1, true())]",
     WANTS("or", "parameters to be of type 'Boolean'", "Integer")},
    {"arm-templates 5.2 and count", "[and(true())]",
     "!Unable to evaluate template language function 'and': function requires at least 2 argument(s) while 1 "
     "were "
     "provided. Please see https://aka.ms/arm-resource-functions/#and for usage details."},
    {"arm-templates 5.2 not", "[createArray(not(true()), not(false()))]", "[false,true]"},
    {"arm-templates 5.2 not type", "[not(0)]", WANTS("not", "parameter to be of type 'Boolean'", "Integer")},
    {"arm-templates 5.2 if", "[createArray(if(true(), 1, 2), if(false(), 1, 2))]", "[1,2]"},
    {"arm-templates 5.2 if type", "[if('true', 1, 2)]",
     WANTS("if", "first parameter to be of type 'Boolean'", "String")},
    {"arm-templates 5.2 if count", "[if(true(), 1)]", COUNT("if", "3", "2")},
    {"arm-templates 5.2 bool", "[createArray(bool('TRUE'), bool('false'), bool(0), bool(-3), bool(true()))]",
     "[true,false,false,true,true]"},
    {"arm-templates 5.2 bool other", "[bool('sdf')]",
     "!The template language function 'bool' was invoked with a parameter that is not valid. The value "
     "cannot be "
     "converted to the target type."},
    {"arm-templates 5.2 true and false", "[createArray(true(), false())]", "[true,false]"},
    {"arm-templates 5.2 true count", "[true(1)]", COUNT("true", "0", "1")},
    {"arm-templates 5.2 equals",
     "[createArray(equals(null(), null()), equals(createArray(1, 2), createArray(2, 1)))]", "[true,false]"},
};

START_TEST(array_functions)
{
    LANGUAGE_CHECK(arrays, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(object_functions)
{
    LANGUAGE_CHECK(objects, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(logic_functions)
{
    LANGUAGE_CHECK(logic, PLACE_RESOURCE_BODY);
}
END_TEST

Suite *suite_functions_collection(void)
{
    Suite *suite = suite_create("functions of collections and logic");
    TCase *all = tcase_create("all");
    tcase_add_test(all, array_functions);
    tcase_add_test(all, object_functions);
    tcase_add_test(all, logic_functions);
    suite_add_tcase(suite, all);
    return suite;
}
