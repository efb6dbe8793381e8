// Functions of strings and URIs, case by case (arm-templates 5.4).
#include "templates/language.h"

Suite *suite_functions_string(void);

#define T1(f, type)                                                                                          \
    "!The template language function '" f                                                                    \
    "' expects its parameter to be of type 'String'. The provided value is of type '" type "'."
#define T2(f, place, type)                                                                                   \
    "!The template language function '" f "' expects its " place                                             \
    " parameter to be of type 'String'. The provided value is of type '" type "'."
#define ONE(f) "!The template language function '" f "' must have only one parameter."
#define BOTH(f, a, b)                                                                                        \
    "!The template language function '" f                                                                    \
    "' expects its parameters to be of type string and string. The provided value is of type '" a            \
    "' and '" b "'."
#define SUBSTRING "!Unable to evaluate the template language function 'substring'. "
#define PAD "!Unable to evaluate template language function 'padLeft': "

static const struct language_case conversions[] = {
    {"arm-templates 5.4 base64", "[base64('a\xc3\xa9')]", "\"YcOp\""},
    {"arm-templates 5.4 base64", "[base64('')]", "\"\""},
    {"arm-templates 5.4 base64 type", "[base64(1)]", T1("base64", "Integer")},
    {"arm-templates 5.4 base64 count", "[base64()]", ONE("base64")},
    {"arm-templates 5.4 base64ToString", "[base64ToString('YcOp')]", "\"a\xc3\xa9\""},
    {"arm-templates 5.4 base64ToString, no UTF-8", "[base64ToString('/w==')]", "\"\xef\xbf\xbd\""},
    {"arm-templates 5.4 base64ToString invalid", "[base64ToString(concat(base64('abc'), '@'))]",
     "!The template language function 'base64ToString' was invoked with a parameter that is not valid. The "
     "value cannot "
     "be decoded from base64 representation."},
    {"arm-templates 5.4 base64ToString type", "[base64ToString(1)]",
     "!The template language function 'base64ToString' expects its parameter to be a string. The provided "
     "value is of "
     "type 'Integer'."},
    {"arm-templates 5.4 base64ToJson", "[base64ToJson(base64('{one: ''a'', two: [1,]}'))]",
     "{\"one\":\"a\",\"two\":[1]}"},
    {"arm-templates 5.4 base64ToJson type", "[base64ToJson(true())]",
     "!The template language function 'base64ToJson' expects its parameter to be a string. The provided "
     "value is of type "
     "'Boolean'."},
    {"arm-templates 5.4 dataUri", "[dataUri('Hello')]", "\"data:text/plain;charset=utf-8;base64,SGVsbG8=\""},
    {"arm-templates 5.4 dataUri", "[dataUri(createArray(1))]",
     "\"data:application/json;charset=utf-8;base64,WzFd\""},
    {"arm-templates 5.4 dataUriToString", "[dataUriToString('data:;base64,SGVsbG8sIFdvcmxkIQ==')]",
     "\"Hello, World!\""},
    {"arm-templates 5.4 dataUriToString", "[dataUriToString('data:text/plain;charset=us-ascii,a%20b')]",
     "\"a b\""},
    {"arm-templates 5.4 dataUriToString", "[dataUriToString(dataUri('\xc3\xa9'))]", "\"\xc3\xa9\""},
    {"arm-templates 5.4 dataUriToString none", "[dataUriToString('Hi 0!')]",
     "!The template language function 'dataUriToString' expects its parameter to be formatted as a valid "
     "data URI. The "
     "provided value 'Hi 0!' was not formatted correctly."},
    {"arm-templates 5.4 dataUriToString charset", "[dataUriToString('data:;charset=utf-16,a')]",
     "!The template language function 'dataUriToString' expects its parameter to be formatted as a valid "
     "data URI. The "
     "provided value 'data:;charset=utf-16,a' was not formatted correctly."},
    {"arm-templates 5.4 dataUriToString base64", "[dataUriToString(concat(dataUri('abc'), '@'))]",
     "!The template language function 'dataUriToString' was invoked with a parameter that is not valid. The "
     "value cannot "
     "be converted to the target type."},
    {"arm-templates 5.4 guid", "[guid('foo', 'bar', 'baz')]", "\"2ed86837-7c7c-5eaa-9864-dd077fd19b0d\""},
    {"arm-templates 5.4 guid type", "[guid('a', 1)]",
     "!The template language function 'guid' expects its parameters to be of type 'String'. The provided "
     "value is of type "
     "'Integer'."},
    {"arm-templates 5.4 uniqueString", "[uniqueString('snap', 'crackle', 'pop')]", "\"byghxckddilkc\""},
    {"arm-templates 5.4 uniqueString", "[uniqueString('asd', 'asdf', 'asdf')]", "\"iizpqit7ih3cc\""},
    {"arm-templates 5.4 uniqueString count", "[uniqueString()]",
     "!Unable to evaluate template language function 'uniqueString': function requires at least 1 "
     "argument(s) while 0 were "
     "provided. Please see https://aka.ms/arm-resource-functions/#uniqueString for usage details."},
    {"arm-templates 5.4 string", "[createArray(string(1), string(true()), string(null()), string('a'))]",
     "[\"1\",\"True\",\"\",\"a\"]"},
    {"arm-templates 5.4 string of JSON", "[string(json('{\"a\":[1,\"b\",null,true]}'))]",
     "\"{\\\"a\\\":[1,\\\"b\\\",null,true]}\""},
    {"arm-templates 5.4 toLower", "[toLower('ABC\xc3\x89\xc3\x9f')]", "\"abc\xc3\xa9\xc3\x9f\""},
    {"arm-templates 5.4 toUpper", "[toUpper('abc\xc3\xa9\xc3\x9f\xc4\xb1')]",
     "\"ABC\xc3\x89\xc3\x9f\xc4\xb1\""},
    {"arm-templates 5.4 toLower type", "[toLower(1)]", T1("toLower", "Integer")},
    {"arm-templates 5.4 toUpper count", "[toUpper('a', 'b')]", ONE("toUpper")},
    {"arm-templates 5.4 trim", "[trim(' \t\n\xc2\xa0\xe2\x80\x83 a b \xe3\x80\x80\r\n')]", "\"a b\""},
    {"arm-templates 5.4 trim", "[trim('  ')]", "\"\""},
    {"arm-templates 5.4 trim type", "[trim(createArray())]", T1("trim", "Array")},
};

static const struct language_case searches[] = {
    {"arm-templates 5.4 indexOf",
     "[createArray(indexOf('Test', 'T'), indexOf('aBc', 'bC'), indexOf('a', 'x'), indexOf('a', ''))]",
     "[0,1,-1,0]"},
    {"arm-templates 5.4 lastIndexOf",
     "[createArray(lastIndexOf('test', 'T'), lastIndexOf('abcabc', 'BC'), lastIndexOf('a', 'x'))]",
     "[3,4,-1]"},
    {"arm-templates 5.4 lastIndexOf empty", "[lastIndexOf('abc', '')]", "3"},
    {"arm-templates 5.4 indexOf beyond ASCII",
     "[createArray(indexOf('x\xc3\x89y', '\xc3\xa9Y'), indexOf('\xf0\x9f\x98\x80z', 'Z'))]", "[1,2]"},
    {"arm-templates 5.4 lastIndexOf overlapping", "[lastIndexOf('aaa', 'aa')]", "1"},
    {"arm-templates 5.4 indexOf array",
     "[createArray(indexOf(createArray('a', 'A', 'a'), 'A'), indexOf(createArray(1), '1'))]", "[1,-1]"},
    {"arm-templates 5.4 lastIndexOf array", "[lastIndexOf(createArray('a', 'A', 'a'), 'a')]", "2"},
    {"arm-templates 5.4 indexOf type", "[indexOf(1, 1)]", BOTH("indexOf", "Integer", "Integer")},
    {"arm-templates 5.4 lastIndexOf type", "[lastIndexOf('a', 1)]", BOTH("lastIndexOf", "String", "Integer")},
    {"arm-templates 5.4 startsWith",
     "[createArray(startsWith('abcdef', 'AB'), startsWith('abc', 'b'), startsWith('abc', ''))]",
     "[true,false,true]"},
    {"arm-templates 5.4 endsWith",
     "[createArray(endsWith('abcdef', 'EF'), endsWith('abc', 'b'), endsWith('abc', ''), endsWith('a', "
     "'ba'))]",
     "[true,false,true,false]"},
    {"arm-templates 5.4 startsWith type", "[startsWith(null(), 'a')]", BOTH("startsWith", "Null", "String")},
    {"arm-templates 5.4 endsWith type", "[endsWith('a', createArray())]",
     BOTH("endsWith", "String", "Array")},
    {"arm-templates 5.4 like",
     "[createArray(like('abcdef', 'A*F'), like('abc', 'b*'), like('abc', '*'), like('', '*'), like('', ''))]",
     "[true,false,true,true,true]"},
    {"arm-templates 5.4 like",
     "[createArray(like('aXbXc', '*x*X*'), like('abc', 'abc*'), like('abcd', 'abc'))]", "[true,true,false]"},
    {"arm-templates 5.4 join", "[join(createArray('a', 1, true(), null()), ', ')]", "\"a, 1, True, \""},
    {"arm-templates 5.4 join", "[join(createArray(), ',')]", "\"\""},
    {"arm-templates 5.4 join type", "[join('a', ',')]",
     "!The template language function 'join' expects its first parameter to be of type 'Array'. The provided "
     "value is of "
     "type 'String'."},
    {"arm-templates 5.4 join separator", "[join(createArray(), 1)]", T2("join", "second", "Integer")},
    {"arm-templates 5.4 padLeft", "[createArray(padLeft('123', 10, '0'), padLeft(7, 3), padLeft('abcd', 2))]",
     "[\"0000000123\",\"  7\",\"abcd\"]"},
    {"arm-templates 5.4 padLeft width", "[padLeft('a', 17)]",
     PAD "the second parameter is invalid. Total width must be a positive integer value and not greater than "
         "'16', while "
         "'17' was provided. The syntax is padLeft(string, totalWidth [, paddingChar])."},
    {"arm-templates 5.4 padLeft width", "[padLeft('a', 0)]",
     PAD "the second parameter is invalid. Total width must be a positive integer value and not greater than "
         "'16', while "
         "'0' was provided. The syntax is padLeft(string, totalWidth [, paddingChar])."},
    {"arm-templates 5.4 padLeft string", "[padLeft(createArray(), 5)]",
     PAD "the first parameter is invalid. The source string must be a String or integer type, while 'Array' "
         "was provided."},
    {"arm-templates 5.4 padLeft character", "[padLeft('a', 5, 'xy')]",
     PAD "the third parameter is invalid. The padding character must be a single character, while 'xy' was "
         "provided."},
    {"arm-templates 5.4 replace",
     "[createArray(replace('a-b-c', '-', ''), replace('aaa', 'aa', 'b'), replace('aA', 'a', 'x'))]",
     "[\"abc\",\"ba\",\"xA\"]"},
    {"arm-templates 5.4 replace none", "[replace('abc', 'x', 'y')]", "\"abc\""},
    {"arm-templates 5.4 replace longer", "[replace('.a.', '.', '--')]", "\"--a--\""},
    {"arm-templates 5.4 replace first", "[replace(1, 'a', 'b')]", T2("replace", "first", "Integer")},
    {"arm-templates 5.4 replace second", "[replace('a', true(), 'b')]", T2("replace", "second", "Boolean")},
    {"arm-templates 5.4 replace third", "[replace('a', 'a', null())]", T2("replace", "third", "Null")},
    {"arm-templates 5.4 replace count", "[replace('a', 'b')]",
     "!The template language function 'replace' expects exactly '3' parameters."},
    {"arm-templates 5.4 replace empty", "[replace('abc', '', 'x')]",
     "!The template language function 'replace' expects its second parameter to be a string that is not "
     "empty."},
    {"arm-templates 5.4 split", "[split('a,b,,c', ',')]", "[\"a\",\"b\",\"\",\"c\"]"},
    {"arm-templates 5.4 split array", "[split('a;b,c', createArray(',', '', ';'))]", "[\"a\",\"b\",\"c\"]"},
    {"arm-templates 5.4 split long delimiter", "[split('a--b-c--', '--')]", "[\"a\",\"b-c\",\"\"]"},
    {"arm-templates 5.4 split nothing",
     "[createArray(split('', ','), split('a b', ''), split('a', createArray()))]",
     "[[\"\"],[\"a b\"],[\"a\"]]"},
    {"arm-templates 5.4 split case", "[split('aXb', 'x')]", "[\"aXb\"]"},
    {"arm-templates 5.4 split count", "[split('a')]",
     "!The template language function 'split' expects exactly '2' parameters."},
    {"arm-templates 5.4 split first", "[split(1, ',')]", T2("split", "first", "Integer")},
    {"arm-templates 5.4 split second", "[split('a', 1)]",
     "!The template language function 'split' expects its second parameter to be of type 'String or Array of "
     "Strings'. "
     "The provided value is of type 'Integer'."},
    {"arm-templates 5.4 split second", "[split('a', createArray(1))]",
     "!The template language function 'split' expects its second parameter to be of type 'String or Array of "
     "Strings'. "
     "The provided value is of type 'Array'."},
    {"arm-templates 5.4 substring",
     "[createArray(substring('abcdef', 2), substring('abcdef', 1, 3), substring('abc', 3), substring('abc', "
     "0, 0))]",
     "[\"cdef\",\"bcd\",\"\",\"\"]"},
    {"arm-templates 5.4 substring in UTF-16", "[substring('\xf0\x9f\x98\x80\xc3\xa9x', 2, 1)]",
     "\"\xc3\xa9\""},
    {"arm-templates 5.4 substring of a pair", "[substring('\xf0\x9f\x98\x80x', 1)]", "\"\xef\xbf\xbdx\""},
    {"arm-templates 5.4 substring count", "[substring('a')]",
     "!The template language function 'substring' expects at least two parameters and up to three "
     "parameters: a string, a "
     "start index and optionally a length."},
    {"arm-templates 5.4 substring index", "[substring('abc', -1)]",
     SUBSTRING "The index parameter cannot be less than zero. The index: '-1'."},
    {"arm-templates 5.4 substring index", "[substring('abc', 4)]",
     SUBSTRING "The index parameter cannot be larger than the length of the string. The index parameter: "
               "'4', the length "
               "of the string parameter: '3'."},
    {"arm-templates 5.4 substring length", "[substring('abc', 0, -2)]",
     SUBSTRING "The length parameter cannot be less than zero. The length parameter: '-2'."},
    {"arm-templates 5.4 substring both", "[substring('abc', 1, 3)]",
     SUBSTRING "The index and length parameters must refer to a location within the string. The index "
               "parameter: '1', the "
               "length parameter: '3', the length of the string parameter: '3'."},
    {"arm-templates 5.4 substring type", "[substring(5, 1)]", T2("substring", "first", "Integer")},
};

static const struct language_case uris[] = {
    {"arm-templates 5.4 uri", "[uri('http://contoso.org/firstpath/', 'myscript.sh')]",
     "\"http://contoso.org/firstpath/myscript.sh\""},
    {"arm-templates 5.4 uri", "[uri('http://contoso.org/firstpath/azuredeploy.json', 'myscript.sh')]",
     "\"http://contoso.org/firstpath/myscript.sh\""},
    {"arm-templates 5.4 uri", "[uri('http://contoso.org/firstpath/azuredeploy.json/', 'myscript.sh')]",
     "\"http://contoso.org/firstpath/azuredeploy.json/myscript.sh\""},
    {"arm-templates 5.4 uri absolute", "[uri('http://contoso.org/a', 'https://x.org/y?z#w')]",
     "\"https://x.org/y?z#w\""},
    {"arm-templates 5.4 uri without path",
     "[createArray(uri('http://contoso.org', 'a'), uri('http://contoso.org', ''))]",
     "[\"http://contoso.org/a\",\"http://contoso.org/\"]"},
    {"arm-templates 5.4 uri drops the query", "[uri('http://h/a/b?sig=1', 'c')]", "\"http://h/a/c\""},
    {"arm-templates 5.4 uri dots", "[uri('http://h/a/b/c', '../../d/./e')]", "\"http://h/d/e\""},
    {"arm-templates 5.4 uri from the root", "[uri('http://H:80/a/b', '/c')]", "\"http://h/c\""},
    {"arm-templates 5.4 uri query only", "[uri('http://h/a/b', '?x=1')]", "\"http://h/a/b?x=1\""},
    {"arm-templates 5.4 uri base", "[uri('github.com', 'Azure/bicep')]",
     "!The template language function 'uri' expects its first argument to be a uri string. The provided "
     "value is "
     "'github.com'. Please see https://aka.ms/arm-function-datauri for usage details."},
    {"arm-templates 5.4 uri type", "[uri('http://h', 1)]", T2("uri", "second", "Integer")},
    {"arm-templates 5.4 uriComponent", "[uriComponent('http://a.b/c d!*''()~-_.\xc3\xa9')]",
     "\"http%3A%2F%2Fa.b%2Fc%20d%21%2A%27%28%29~-_.%C3%A9\""},
    {"arm-templates 5.4 uriComponentToString", "[uriComponentToString('a%20b%C3%A9%zz%ff+%2')]",
     "\"a b\xc3\xa9%zz%ff+%2\""},
    {"arm-templates 5.4 uriComponent type", "[uriComponent(1)]", T1("uriComponent", "Integer")},
    {"arm-templates 5.4 uriComponentToString type", "[uriComponentToString(createObject())]",
     T1("uriComponentToString", "Object")},
    {"arm-templates 5.4 parseUri", "[parseUri('HTTPS://Host:8080/p/q?a=1')]",
     "{\"scheme\":\"https\",\"host\":\"host\",\"port\":8080,\"path\":\"/p/q\",\"query\":\"?a=1\"}"},
    {"arm-templates 5.4 parseUri", "[parseUri('http://h')]",
     "{\"scheme\":\"http\",\"host\":\"h\",\"path\":\"/\"}"},
    {"arm-templates 5.4 parseUri none", "[parseUri('h')]",
     "!The template language function 'parseUri' expects its parameter to be an absolute uri string. The "
     "provided value is "
     "'h'."},
    {"arm-templates 5.4 buildUri",
     "[buildUri(createObject('scheme', 'https', 'host', 'h', 'port', 8080, 'path', 'p', 'query', 'a=1'))]",
     "\"https://h:8080/p?a=1\""},
    {"arm-templates 5.4 buildUri", "[buildUri(parseUri('https://h:1/p?q'))]", "\"https://h:1/p?q\""},
    {"arm-templates 5.4 buildUri scheme", "[buildUri(createObject('host', 'h'))]",
     "!The template language function 'buildUri' expects its parameter to have a property 'scheme' of type "
     "'String'."},
};

// What the service's own library answered in the tests of its compiler.
static const struct language_case published[] = {
    {"arm-templates 5.4 base64", "[base64(' Fizz ')]", "\"IEZpenog\""},
    {"arm-templates 5.4 dataUri", "[dataUri(' Fizz ')]", "\"data:text/plain;charset=utf-8;base64,IEZpenog\""},
    {"arm-templates 5.4 dataUriToString",
     "[dataUriToString('data:text/plain;charset=utf-8;base64,IEZpenog')]", "\" Fizz \""},
    {"arm-templates 5.4 format", "[format('{0}/{1}/{2}/{3}', 1, 2, 3, true())]", "\"1/2/3/True\""},
    {"arm-templates 5.4 format",
     "[format('>{0}<>{1}<>{2}<>{3}<>{4}<', false(), 12948, 'hello!', createObject('a', 'b', '!c', 2), "
     "createArray(true(), 2893, 'abc'))]",
     "\">False<>12948<>hello!<>{'a':'b','!c':2}<>[true,2893,'abc']<\""},
    {"arm-templates 5.4 padLeft", "[padLeft('00', 5, ' ')]", "\"   00\""},
    {"arm-templates 5.4 replace", "[replace('foot', 't', 'd')]", "\"food\""},
    {"arm-templates 5.4 uri", "[uri('https://github.com/another/repo', '/Azure/bicep')]",
     "\"https://github.com/Azure/bicep\""},
    {"arm-templates 5.4 substring", "[substring('foot', 0, 3)]", "\"foo\""},
    {"arm-templates 5.4 join", "[join(createArray('abc', 123, true()), '/')]", "\"abc/123/True\""},
    {"arm-templates 5.4 lastIndexOf", "[createArray(indexOf('food', 'o'), lastIndexOf('food', 'o'))]",
     "[1,2]"},
    {"arm-templates 5.1 intersection",
     "[intersection(createArray('fizz', 'buzz', 'pop'), createArray('snap', 'crackle', 'pop'))]",
     "[\"pop\"]"},
    {"arm-templates 5.3 mod", "[sub(div(mod(mul(add(1, 3), 5), 7), 11), 13)]", "-13"},
    {"arm-templates 5.1 take", "[take(createArray('fizz', 'buzz', 'pop'), 2)]", "[\"fizz\",\"buzz\"]"},
};

START_TEST(published_answers)
{
    LANGUAGE_CHECK(published, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(conversion_functions)
{
    LANGUAGE_CHECK(conversions, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(search_functions)
{
    LANGUAGE_CHECK(searches, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(uri_functions)
{
    LANGUAGE_CHECK(uris, PLACE_RESOURCE_BODY);
}
END_TEST

Suite *suite_functions_string(void)
{
    Suite *suite = suite_create("functions of strings");
    TCase *all = tcase_create("all");
    tcase_add_test(all, published_answers);
    tcase_add_test(all, conversion_functions);
    tcase_add_test(all, search_functions);
    tcase_add_test(all, uri_functions);
    suite_add_tcase(suite, all);
    return suite;
}
