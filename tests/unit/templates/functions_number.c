// Numbers, formats and dates, case by case (arm-templates 5.3, 5.4 format, 5.5).
#include "templates/language.h"

Suite *suite_functions_number(void);

#define OVERFLOW(f, a, b)                                                                                    \
    "!The template language function '" f "' overflowed with the operants '" a "' and '" b "'."
#define FORMAT "!Unable to evaluate language function 'format'"

static const struct language_case numbers[] = {
    {"arm-templates 5.3 add", "[add(5, -3)]", "2"},
    {"arm-templates 5.3 add overflow", "[add(9223372036854775807, 1)]",
     OVERFLOW("add", "9223372036854775807", "1")},
    {"arm-templates 5.3 sub", "[sub(7, 9)]", "-2"},
    {"arm-templates 5.3 sub overflow", "[sub(-9223372036854775808, 1)]",
     OVERFLOW("sub", "-9223372036854775808", "1")},
    {"arm-templates 5.3 mul", "[mul(6, -7)]", "-42"},
    {"arm-templates 5.3 mul overflow", "[mul(9223372036854775807, 2)]",
     OVERFLOW("mul", "9223372036854775807", "2")},
    {"arm-templates 5.3 div", "[createArray(div(8, 3), div(-8, 3), div(8, -3))]", "[2,-2,-2]"},
    {"arm-templates 5.3 div by zero", "[div(1, 0)]",
     "!The template language function 'div' cannot divide by zero."},
    {"arm-templates 5.3 div overflow", "[div(-9223372036854775808, -1)]",
     OVERFLOW("div", "-9223372036854775808", "-1")},
    {"arm-templates 5.3 mod",
     "[createArray(mod(7, 3), mod(-7, 3), mod(7, -3), mod(-9223372036854775808, -1))]", "[1,-1,1,0]"},
    {"arm-templates 5.3 mod by zero", "[mod(1, 0)]",
     "!The template language function 'mod' cannot divide by zero."},
    {"arm-templates 5.3 add type", "[add('1', 2)]",
     "!The template language function 'add' expects its first parameter to be of type 'Integer'. The "
     "provided value is of "
     "type 'String'."},
    {"arm-templates 5.3 mul type", "[mul(1, json('2.0'))]",
     "!The template language function 'mul' expects its second parameter to be of type 'Integer'. The "
     "provided value is "
     "of type 'Float'."},
    {"arm-templates 5.3 int", "[createArray(int('4'), int(5), int(' -12 '), int('9223372036854775807'))]",
     "[4,5,-12,9223372036854775807]"},
    {"arm-templates 5.3 int none", "[int('asdf')]",
     "!The template language function 'int' cannot convert provided value 'asdf' to integer value. Please "
     "see "
     "https://aka.ms/arm-function-int for usage details."},
    {"arm-templates 5.3 int of a fraction", "[int('1.5')]",
     "!The template language function 'int' cannot convert provided value '1.5' to integer value. Please see "
     "https://aka.ms/arm-function-int for usage details."},
    {"arm-templates 5.3 int too large", "[int('9223372036854775808')]",
     "!The template language function 'int' cannot convert provided value '9223372036854775808' to integer "
     "value. Please "
     "see https://aka.ms/arm-function-int for usage details."},
    {"arm-templates 5.3 int of nothing", "[int('')]",
     "!The template language function 'int' cannot convert provided value '' to integer value. Please see "
     "https://aka.ms/arm-function-int for usage details."},
    {"arm-templates 5.3 float", "[createArray(float('3.25'), float(2), float('-1e3'))]",
     "[3.25,2.0,-1000.0]"},
    {"arm-templates 5.3 float none", "[float('abc')]",
     "!The template language function 'float' cannot convert provided value 'abc' to float value. Please see "
     "https://aka.ms/arm-function-float for usage details."},
    {"arm-templates 5.3 float of infinity", "[float('inf')]",
     "!The template language function 'float' cannot convert provided value 'inf' to float value. Please see "
     "https://aka.ms/arm-function-float for usage details."},
};

static const struct language_case formats[] = {
    {"arm-templates 5.4 format", "[format('{0}, {1}. {0}', 'Hello', 'World')]", "\"Hello, World. Hello\""},
    {"arm-templates 5.4 format braces", "[format('{{{0}}}', 1)]", "\"{1}\""},
    {"arm-templates 5.4 format values", "[format('{0}|{1}|{2}|{3}', true(), null(), 1, json('1.0'))]",
     "\"True||1|1\""},
    {"arm-templates 5.4 format JSON", "[format('{0}', createObject('a', 'b', 'n', 2))]",
     "\"{'a':'b','n':2}\""},
    {"arm-templates 5.4 format JSON", "[format('{0}', createArray(true(), 1, 'x'))]", "\"[true,1,'x']\""},
    {"arm-templates 5.4 format alignment", "[format('[{0,5}][{0,-5}][{0,1}]', 'abc')]",
     "\"[  abc][abc  ][abc]\""},
    {"arm-templates 5.4 format blanks", "[format('{0 , 5 :D3}', 7)]", "\"  007\""},
    {"arm-templates 5.4 format N0", "[format('{0:N0}|{1:N0}', 8175133, -1234)]", "\"8,175,133|-1,234\""},
    {"arm-templates 5.4 format D", "[format('{0:D5}|{1:d3}|{2:D}', 42, -7, 9)]", "\"00042|-007|9\""},
    {"arm-templates 5.4 format X", "[format('{0:X}|{0:x4}|{1:X}', 255, -1)]", "\"FF|00ff|FFFFFFFFFFFFFFFF\""},
    {"arm-templates 5.4 format F", "[format('{0:F}|{0:F1}|{1:F3}|{2:F0}', 5, json('2.0625'), -3)]",
     "\"5.00|5.0|2.062|-3\""},
    {"arm-templates 5.4 format N", "[format('{0:N}|{1:N1}', 1234567, json('-1234.56'))]",
     "\"1,234,567.00|-1,234.6\""},
    {"arm-templates 5.4 format E", "[format('{0:E2}|{0:e}|{1:E1}', 12345, json('0.000125'))]",
     "\"1.23E+004|1.234500e+004|1.3E-004\""},
    {"arm-templates 5.4 format G", "[format('{0:G}|{0:G2}|{1:G3}|{1:G}', 12345, json('3.14159'))]",
     "\"12345|1.2E+04|3.14|3.14159\""},
    {"arm-templates 5.4 format P", "[format('{0:P}|{1:P0}', json('0.125'), 1)]", "\"12.50 %|100 %\""},
    {"arm-templates 5.4 format R", "[format('{0:R}|{1:R}', json('0.1'), 12)]", "\"0.1|12\""},
    {"arm-templates 5.4 format custom", "[format('{0:00000}|{0:#,##0}|{1:#}|{1:0}', 1234, 0)]",
     "\"01234|1,234||0\""},
    {"arm-templates 5.4 format custom", "[format('{0:0.00}|{0:#.##}|{1:0.##}', 5, json('1.5'))]",
     "\"5.00|5|1.5\""},
    {"arm-templates 5.4 format custom", "[format('{0:000-00}|{0:\"no\" 0}', 12345)]", "\"123-45|no 12345\""},
    {"arm-templates 5.4 format custom",
     "[format('{0:pos 0;neg 0;zero}|{1:pos 0;neg 0;zero}|{2:pos 0;neg 0;zero}', 1, -2, 0)]",
     "\"pos 1|neg 2|zero\""},
    {"arm-templates 5.4 format custom", "[format('{0:0%}|{1:0,}|{2:-0}', json('0.5'), 12345, -5)]",
     "\"50%|12|--5\""},
    {"arm-templates 5.4 format of text", "[format('{0:D5}|{1:X}', 'a', true())]", "\"a|True\""},
    {"arm-templates 5.4 format first", "[format(100)]",
     FORMAT ": the first argument must be a string literal, and the type of other arguments must be one of "
            "'Array, Boolean, "
            "Date, Float, Guid, Integer, Null, Object, String, TimeSpan, Undefined, Uri'."},
    {"arm-templates 5.4 format none", "[format()]", FORMAT ". At least one parameter should be provided."},
    {"arm-templates 5.4 format index", "[format('->{123}<-', 123)]",
     FORMAT ": the format is invalid: 'Index (zero based) must be greater than or equal to zero and less "
            "than the size of "
            "the argument list.'. Please see https://aka.ms/arm-function-format for usage details."},
    {"arm-templates 5.4 format open", "[format('{0', 1)]",
     FORMAT ": the format is invalid: 'Input string was not in a correct format.'. Please see "
            "https://aka.ms/arm-function-format for usage details."},
    {"arm-templates 5.4 format closed", "[format('a}', 1)]",
     FORMAT ": the format is invalid: 'Input string was not in a correct format.'. Please see "
            "https://aka.ms/arm-function-format for usage details."},
    {"arm-templates 5.4 format specifier", "[format('{0:Q}', 1)]",
     FORMAT ": the format is invalid: 'Format specifier was invalid.'. Please see "
            "https://aka.ms/arm-function-format for "
            "usage details."},
    {"arm-templates 5.4 format specifier", "[format('{0:D}', json('1.5'))]",
     FORMAT ": the format is invalid: 'Format specifier was invalid.'. Please see "
            "https://aka.ms/arm-function-format for "
            "usage details."},
};

#define DATE(f, n, v, what)                                                                                  \
    "!The template function '" f "' has an invalid parameter. The " n " parameter '" v                       \
    "' is not a valid " what " string. Please see https://aka.ms/arm-syntax-functions ."

static const struct language_case dates[] = {
    {"arm-templates 5.5 dateTimeFromEpoch", "[dateTimeFromEpoch(1683040573)]", "\"2023-05-02T15:16:13Z\""},
    {"arm-templates 5.5 dateTimeFromEpoch", "[createArray(dateTimeFromEpoch(0), dateTimeFromEpoch(-1))]",
     "[\"1970-01-01T00:00:00Z\",\"1969-12-31T23:59:59Z\"]"},
    {"arm-templates 5.5 dateTimeFromEpoch range", "[dateTimeFromEpoch(253402300800)]",
     "!The template function 'dateTimeFromEpoch' has an invalid parameter. The value '253402300800' is not a "
     "date between "
     "the years 1 and 9999. Please see https://aka.ms/arm-syntax-functions ."},
    {"arm-templates 5.5 dateTimeToEpoch",
     "[createArray(dateTimeToEpoch('2023-05-02T15:16:13Z'), dateTimeToEpoch('1969-12-31T23:59:59Z'))]",
     "[1683040573,-1]"},
    {"arm-templates 5.5 dateTimeToEpoch zone", "[dateTimeToEpoch('2023-05-02T17:16:13.9999999+02:00')]",
     "1683040573"},
    {"arm-templates 5.5 dateTimeToEpoch none", "[dateTimeToEpoch('yesterday')]",
     DATE("dateTimeToEpoch", "first", "yesterday", "DateTime")},
    {"arm-templates 5.5 dateTimeAdd years", "[dateTimeAdd('2020-04-07 14:53:14Z', 'P3Y')]",
     "\"2023-04-07T14:53:14Z\""},
    {"arm-templates 5.5 dateTimeAdd year of 365 days", "[dateTimeAdd('2020-01-01T00:00:00Z', 'P1Y')]",
     "\"2020-12-31T00:00:00Z\""},
    {"arm-templates 5.5 dateTimeAdd month of 30 days", "[dateTimeAdd('2021-01-31', 'P1M')]",
     "\"2021-03-02T00:00:00Z\""},
    {"arm-templates 5.5 dateTimeAdd back", "[dateTimeAdd('2020-04-07 14:53:14Z', '-P9D')]",
     "\"2020-03-29T14:53:14Z\""},
    {"arm-templates 5.5 dateTimeAdd hour", "[dateTimeAdd('20200407T145314Z', 'PT1H')]",
     "\"2020-04-07T15:53:14Z\""},
    {"arm-templates 5.5 dateTimeAdd all", "[dateTimeAdd('2020-01-01T00:00:00Z', 'P1Y1M1DT1H1M1.5S', 'o')]",
     "\"2021-01-31T01:01:01.5000000Z\""},
    {"arm-templates 5.5 dateTimeAdd format", "[dateTimeAdd('2020-04-07 14:53:14Z', 'PT0S', 'd')]",
     "\"04/07/2020\""},
    {"arm-templates 5.5 dateTimeAdd duration", "[dateTimeAdd('2020-04-07', 'PTASDIONS1D')]",
     DATE("dateTimeAdd", "second", "PTASDIONS1D", "ISO8601 Duration")},
    {"arm-templates 5.5 dateTimeAdd weeks", "[dateTimeAdd('2020-04-07', 'P1W')]",
     DATE("dateTimeAdd", "second", "P1W", "ISO8601 Duration")},
    {"arm-templates 5.5 dateTimeAdd nothing", "[dateTimeAdd('2020-04-07', 'P1DT')]",
     DATE("dateTimeAdd", "second", "P1DT", "ISO8601 Duration")},
    {"arm-templates 5.5 dateTimeAdd base", "[dateTimeAdd('2021-02-29', 'P1D')]",
     DATE("dateTimeAdd", "first", "2021-02-29", "DateTime")},
    {"arm-templates 5.5 dateTimeAdd range", "[dateTimeAdd('9999-12-31', 'P1D')]",
     "!The template function 'dateTimeAdd' has an invalid parameter. The sum is not a date between the years "
     "1 and 9999. "
     "Please see https://aka.ms/arm-syntax-functions ."},
    {"arm-templates 5.5 leap days",
     "[createArray(dateTimeAdd('2000-02-28', 'P1D'), dateTimeAdd('1900-02-28', 'P1D'), "
     "dateTimeAdd('0001-01-01', 'PT0S'))]",
     "[\"2000-02-29T00:00:00Z\",\"1900-03-01T00:00:00Z\",\"0001-01-01T00:00:00Z\"]"},
};

// One moment in many formats.
static const struct language_case clocks[] = {
    {"arm-templates 5.5 utcNow", "[utcNow()]", "\"20230502T151613Z\""},
    {"arm-templates 5.5 utcNow u", "[utcNow('u')]", "\"2023-05-02 15:16:13Z\""},
    {"arm-templates 5.5 utcNow d", "[utcNow('d')]", "\"05/02/2023\""},
    {"arm-templates 5.5 utcNow D", "[utcNow('D')]", "\"Tuesday, 02 May 2023\""},
    {"arm-templates 5.5 utcNow s", "[utcNow('s')]", "\"2023-05-02T15:16:13\""},
    {"arm-templates 5.5 utcNow o", "[utcNow('O')]", "\"2023-05-02T15:16:13.1234560Z\""},
    {"arm-templates 5.5 utcNow R", "[utcNow('R')]", "\"Tue, 02 May 2023 15:16:13 GMT\""},
    {"arm-templates 5.5 utcNow t", "[utcNow('t')]", "\"15:16\""},
    {"arm-templates 5.5 utcNow G", "[utcNow('G')]", "\"05/02/2023 15:16:13\""},
    {"arm-templates 5.5 utcNow F", "[utcNow('F')]", "\"Tuesday, 02 May 2023 15:16:13\""},
    {"arm-templates 5.5 utcNow M", "[createArray(utcNow('M'), utcNow('Y'))]", "[\"May 02\",\"2023 May\"]"},
    {"arm-templates 5.5 utcNow custom", "[utcNow('yyyy-M-d h:m:s tt')]", "\"2023-5-2 3:16:13 PM\""},
    {"arm-templates 5.5 utcNow custom", "[utcNow('yy MMM ddd fff FFFFFF K zzz')]",
     "\"23 May Tue 123 123456 Z +00:00\""},
    {"arm-templates 5.5 utcNow custom", "[utcNow('''day'' dd \"of\" MMMM \\d')]", "\"day 02 of May d\""},
    {"arm-templates 5.5 utcNow one letter", "[utcNow('%d')]", "\"2\""},
    {"arm-templates 5.5 utcNow wrong", "[utcNow('Q')]",
     "!The template function 'utcNow' has an invalid parameter. The format 'Q' is not a valid date and time "
     "format. Please "
     "see https://aka.ms/arm-syntax-functions ."},
    {"arm-templates 5.5 utcNow type", "[utcNow(1)]",
     "!The template function 'utcNow' has an invalid parameter. The format must be of type 'String', but it "
     "is of type "
     "'Integer'. Please see https://aka.ms/arm-syntax-functions ."},
};

START_TEST(number_functions)
{
    LANGUAGE_CHECK(numbers, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(composite_formats)
{
    LANGUAGE_CHECK(formats, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(date_functions)
{
    LANGUAGE_CHECK(dates, PLACE_RESOURCE_BODY);
}
END_TEST

START_TEST(date_formats)
{
    LANGUAGE_CHECK(clocks, PLACE_PARAMETER_DEFAULT);
}
END_TEST

Suite *suite_functions_number(void)
{
    Suite *suite = suite_create("numbers, formats and dates");
    TCase *all = tcase_create("all");
    tcase_add_test(all, number_functions);
    tcase_add_test(all, composite_formats);
    tcase_add_test(all, date_functions);
    tcase_add_test(all, date_formats);
    suite_add_tcase(suite, all);
    return suite;
}
